{{- define "antiphon.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "antiphon.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "antiphon.labels" -}}
{{ include "antiphon.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* Not empty where PostgreSQL keeps everything. */}}
{{- define "antiphon.shared" -}}
{{- or .Values.store.url .Values.store.existingSecret -}}
{{- end -}}

{{- define "antiphon.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "antiphon.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "antiphon.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The pod, alike for both kinds but for where it keeps what. */}}
{{- define "antiphon.pod" -}}
metadata:
  labels:
    {{- include "antiphon.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- /* A changed URL starts the nodes anew, one by one. */}}
    checksum/store: {{ printf "%s %s %s" .Values.store.url .Values.secrets.key .Values.files.secretAccessKey | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "antiphon.serviceAccount" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: antiphon
      image: {{ include "antiphon.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      env:
        - name: ANTIPHON_LISTEN
          value: "0.0.0.0:8085"
        - name: ANTIPHON_DATA_DIR
          value: /var/lib/antiphon
        {{- if .Values.ingress.enabled }}
        {{- if not (hasKey .Values.settings "public_url") }}
        - name: ANTIPHON_PUBLIC_URL
          value: {{ printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tlsSecret))) .Values.ingress.host }}
        {{- end }}
        {{- end }}
        {{- range $name, $value := .Values.settings }}
        - name: ANTIPHON_{{ $name | replace "." "__" | upper }}
          value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}
        {{- end }}
        {{- if include "antiphon.shared" . }}
        - name: ANTIPHON_STORE
          valueFrom:
            secretKeyRef:
              name: {{ .Values.store.existingSecret | default (printf "%s-store" (include "antiphon.name" .)) }}
              key: {{ ternary .Values.store.existingSecretKey "url" (not (empty .Values.store.existingSecret)) }}
        {{- end }}
        {{- if or .Values.secrets.key .Values.secrets.existingSecret }}
        - name: ANTIPHON_SECRETS__KEY
          valueFrom:
            secretKeyRef:
              name: {{ .Values.secrets.existingSecret | default (printf "%s-store" (include "antiphon.name" .)) }}
              key: {{ ternary .Values.secrets.existingSecretKey "key" (not (empty .Values.secrets.existingSecret)) }}
        {{- else if include "antiphon.shared" . }}
        {{- fail "nodes that share a store need the same master key: set secrets.existingSecret, or secrets.key" }}
        {{- end }}
        {{- with .Values.files }}
        {{- if and .url .existingClaim }}
        {{- fail "files are in one place: set files.url or files.existingClaim, not both" }}
        {{- else if .existingClaim }}
        - name: ANTIPHON_FILES__URL
          value: file:///var/lib/antiphon-files
        {{- else if .url }}
        - name: ANTIPHON_FILES__URL
          value: {{ .url | quote }}
        - name: ANTIPHON_FILES__REGION
          value: {{ .region | quote }}
        {{- with .endpoint }}
        - name: ANTIPHON_FILES__ENDPOINT
          value: {{ . | quote }}
        {{- end }}
        {{- if or .accessKeyId .existingSecret }}
        - name: ANTIPHON_FILES__ACCESS_KEY_ID
          valueFrom:
            secretKeyRef:
              name: {{ .existingSecret | default (printf "%s-store" (include "antiphon.name" $)) }}
              key: {{ ternary .accessKeyIdKey "access-key-id" (not (empty .existingSecret)) }}
        - name: ANTIPHON_FILES__SECRET_ACCESS_KEY
          valueFrom:
            secretKeyRef:
              name: {{ .existingSecret | default (printf "%s-store" (include "antiphon.name" $)) }}
              key: {{ ternary .secretAccessKeyKey "secret-access-key" (not (empty .existingSecret)) }}
        {{- end }}
        {{- else if include "antiphon.shared" $ }}
        {{- fail "nodes that share a store need one place for files: set files.url, or files.existingClaim" }}
        {{- end }}
        {{- end }}
        {{- with .Values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: 8085
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: {{ div .Values.probes.startSeconds 2 }}
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: {{ div .Values.probes.livenessSeconds 10 }}
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      lifecycle:
        preStop:
          sleep:
            seconds: {{ .Values.drainSeconds }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /var/lib/antiphon
        {{- if .Values.store.caSecret }}
        - name: ca
          mountPath: /etc/antiphon/ca
          readOnly: true
        {{- end }}
        {{- if .Values.files.existingClaim }}
        - name: files
          mountPath: /var/lib/antiphon-files
        {{- end }}
  {{- if or (include "antiphon.shared" .) .Values.files.existingClaim }}
  volumes:
    {{- if include "antiphon.shared" . }}
    {{- /* Only the socket of the command line lies there. */}}
    - name: data
      emptyDir:
        medium: Memory
        sizeLimit: 16Mi
    {{- end }}
    {{- with .Values.store.caSecret }}
    - name: ca
      secret:
        secretName: {{ . }}
    {{- end }}
    {{- with .Values.files.existingClaim }}
    - name: files
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "antiphon.selector" . | nindent 10 }}
    {{- end }}
{{- end -}}
