"""Lints and renders the Helm chart with Helm's own engine, for every file of values in its ci folder, and holds what comes out
against the schemas of the oldest Kubernetes it is for and of the newest that is known.

    python chart.py <chart> <node> <monitor.js>
"""

import json
import pathlib
import subprocess
import sys

import helm_python
import kubernetes_validate
import yaml

KUBERNETES = ("1.30.0", "1.37.0")
# What each must be made of, so that a template that renders nothing is noticed.
KINDS = {
    "defaults": "Service Service ServiceAccount StatefulSet",
    "embedded": "Ingress Service Service ServiceAccount ServiceMonitor StatefulSet",
    "postgres": "Deployment PodDisruptionBudget Secret Service ServiceAccount",
    "postgres-claim": "Deployment PodDisruptionBudget Service ServiceAccount",
    "postgres-secret": "Deployment Ingress Service",
}
# Values with mistakes that the schema of values must find.
WRONG = (
    {"replica": 3},
    {"replicas": 0},
    {"store": {"url": "mysql://db/antiphon"}},
    {"settings": {"data_dir": "/elsewhere"}},
    {"image": {"digest": "latest"}},
    {"secrets": {"key": "too short"}},
    {"persistence": {"accessModes": ["ReadWriteMany"]}},
    {"files": {"url": "https://bucket.example.org"}},
    {"settings": {"files.secret_access_key": "in the open"}},
)
# Values that each are well-formed, and that the chart must refuse together: what nodes share has to be in a place that all reach.
SHARED = {"store": {"existingSecret": "database"}, "secrets": {"existingSecret": "key"}}
REFUSED = (
    ({"store": {"existingSecret": "database"}, "files": {"url": "s3://bucket"}}, "master key"),
    (SHARED, "one place for files"),
    ({**SHARED, "files": {"url": "s3://bucket", "existingClaim": "claim"}}, "not both"),
)


def documents(chart, values):
    """Everything that values make of the chart, notes aside."""
    rendered = chart.render(values, name="inbox", namespace="care", is_install=True)
    notes = next(text for path, text in rendered.items() if path.endswith("NOTES.txt"))
    assert "/antiphon portal create" in notes, notes
    texts = [text for path, text in sorted(rendered.items()) if path.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def main(folder, node, monitor):
    chart = helm_python.Chart.load(folder)
    cases = {"defaults": {}}
    for file in sorted(folder.glob("ci/*.yaml")):
        cases[file.stem] = yaml.safe_load(file.read_text())
    assert cases.keys() == KINDS.keys(), f"{folder}/ci holds {sorted(cases)}, known are {sorted(KINDS)}"
    problems, monitors = [], []
    for case, values in cases.items():
        for kubernetes in KUBERNETES:
            report = helm_python.lint(folder, values, strict=True, kube_version=f"v{kubernetes}")
            problems += [f"{case}: {found['path']}: {found['error']}" for found in report["messages"] if found["severity"] > 1]
            problems += [f"{case}: {error}" for error in report["errors"]]
        made = documents(chart, values)
        kinds = " ".join(sorted(document["kind"] for document in made))
        if kinds != KINDS[case]:
            problems.append(f"{case}: makes {kinds}, and should make {KINDS[case]}")
        for document in made:
            if document["kind"] == "ServiceMonitor":
                monitors.append(document)
                continue
            for kubernetes in KUBERNETES:
                try:
                    kubernetes_validate.validate(document, kubernetes, strict=True)
                except kubernetes_validate.ValidationError as error:
                    place = ".".join(str(part) for part in error.path)
                    problems.append(f"{case}: {document['kind']} for {kubernetes}: {place}: {error.message}")
    for values in WRONG:
        try:
            chart.validate_schema(values)
            problems.append(f"values.schema.json takes {values}")
        except helm_python.HelmError:
            pass
    for values, why in REFUSED:
        try:
            documents(chart, values)
            problems.append(f"the chart takes {values}")
        except helm_python.HelmError as error:
            if why not in str(error):
                problems.append(f"{values}: {error}")
    if problems:
        sys.exit("\n".join(dict.fromkeys(problems)))
    subprocess.run([node, monitor], input=json.dumps(monitors), text=True, check=True)
    print(f"the chart is sound: {len(cases)} sets of values, Kubernetes {' and '.join(KUBERNETES)}")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    except helm_python.HelmError as error:
        sys.exit(f"Helm: {error}")
