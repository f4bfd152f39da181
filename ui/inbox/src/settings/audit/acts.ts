/** What is noted of administrators' acts, in words. What is not known here is shown as the server names it. */
import type { AuditChange, AuditEntry } from '../../api/shapes';
import type { Key } from '../../i18n/catalogue';

/** Acts that have a sentence of their own. */
const OWN = {
  'session.begin': 'audit.signedIn',
  'oidc.begin': 'audit.signedInElsewhere',
  'oidc.callback': 'audit.vouched',
  'session.recovery': 'audit.recovery',
  'session.agent': 'audit.profile',
  'session.totp.ask': 'audit.totpAsked',
  'session.totp.enable': 'audit.totpOn',
  'session.totp.disable': 'audit.totpOff',
  'agents.totp.reset': 'audit.totpReset',
  'agents.login': 'audit.login',
  'invitations.create': 'audit.invited',
  'invitations.revoke': 'audit.revoked',
  'invitations.accept': 'audit.joined',
  setup: 'audit.setUp',
  'contacts.erase': 'audit.erased',
  'contacts.export': 'audit.exported',
  'apps.rotate.secret': 'audit.secret',
  'apps.rotate.key': 'audit.key',
  'apps.webhook.test': 'audit.tried',
  'apps.webhook.resend.attempt': 'audit.resent',
  'apps.webhook.resend.event': 'audit.resent',
  'apps.webhook.resend.failed': 'audit.resent',
} as const satisfies Record<string, Key>;

const VERBS = {
  create: 'audit.made',
  register: 'audit.made',
  update: 'audit.changed',
  put: 'audit.changed',
  archive: 'audit.archived',
  delete: 'audit.deleted',
  remove: 'audit.deleted',
  purge: 'audit.deleted',
  revoke: 'audit.ended',
  rotate: 'audit.renewed',
  install: 'audit.installed',
  uninstall: 'audit.uninstalled',
  connect: 'audit.connected',
  pause: 'audit.paused',
  resume: 'audit.resumed',
} as const satisfies Record<string, Key>;

const OBJECTS = {
  PORTAL: 'audit.ofPortal',
  INBOX: 'audit.ofInbox',
  CHANNEL_ACCOUNT: 'audit.ofAccount',
  CHANNEL: 'audit.ofChannel',
  CHANNEL_CONNECTION: 'audit.ofConnection',
  AGENT: 'audit.ofAgent',
  BOT: 'audit.ofBot',
  LLM: 'audit.ofLlm',
  LOGIN: 'audit.ofLogin',
  APP: 'audit.ofApp',
  TOKEN: 'audit.ofToken',
  WEBHOOK: 'audit.ofWebhook',
  SUBSCRIPTION: 'audit.ofSubscription',
  JOURNAL_SUBSCRIPTION: 'audit.ofSubscription',
  OAUTH_CLIENT: 'audit.ofApp',
  GRANT: 'audit.ofGrant',
  INSTALL: 'audit.ofApp',
  TAG: 'audit.ofTag',
  VIEW: 'audit.ofView',
  CONTACT: 'audit.ofContact',
  FILE: 'audit.ofFile',
} as const satisfies Record<string, Key>;

/** Acts that can be asked for, with what each is mostly done to. */
export const ASKED: Record<string, keyof typeof OBJECTS | ''> = {
  // What is sent again is one act to people, however it was chosen.
  ...Object.fromEntries(Object.keys(OWN).filter((action) => !action.startsWith('apps.webhook.resend.')).map((action) => [action, ''])),
  'agents.create': 'AGENT',
  'agents.update': 'AGENT',
  'apps.create': 'APP',
  'apps.update': 'APP',
  'apps.install': 'APP',
  'apps.uninstall': 'APP',
  'apps.webhook.pause': 'WEBHOOK',
  'apps.webhook.resume': 'WEBHOOK',
  'apps.webhook.settings.delete': 'WEBHOOK',
  'apps.webhook.settings.put': 'WEBHOOK',
  'apps.webhook.subscriptions.create': 'SUBSCRIPTION',
  'apps.webhook.subscriptions.delete': 'SUBSCRIPTION',
  'apps.webhook.subscriptions.update': 'SUBSCRIPTION',
  'own.accounts.archive': 'CHANNEL_ACCOUNT',
  'own.accounts.create': 'CHANNEL_ACCOUNT',
  'own.accounts.purge': 'CHANNEL_ACCOUNT',
  'own.accounts.update': 'CHANNEL_ACCOUNT',
  'own.inboxes.archive': 'INBOX',
  'own.inboxes.create': 'INBOX',
  'own.inboxes.update': 'INBOX',
  'own.portal.update': 'PORTAL',
  'tags.archive': 'TAG',
  'tags.create': 'TAG',
  'tags.update': 'TAG',
  'tokens.create': 'TOKEN',
  'tokens.revoke': 'TOKEN',
  'tokens.rotate': 'TOKEN',
  'views.create': 'VIEW',
  'views.delete': 'VIEW',
  'views.update': 'VIEW',
};

type Say = (key: Key, values?: Record<string, string>) => string;

const at = <T extends string>(table: Record<string, T>, name: string): T | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

/** The change that an act is mostly about: an invitation's agent before its login, and so on. */
function first(changes: AuditChange[]): AuditChange | undefined {
  return changes.find((one) => named(one) !== undefined) ?? changes[0];
}

function named(change: AuditChange): string | undefined {
  for (const said of [change.after, change.before]) {
    for (const key of ['name', 'label', 'email']) {
      const value = said?.[key];
      if (typeof value === 'string' && value !== '') return value;
    }
  }
  return undefined;
}

/** What was done, in a sentence without a subject. `call` knows the names of what has one elsewhere. */
export function act(entry: Pick<AuditEntry, 'action' | 'changes'>, say: Say, call: (change: AuditChange) => string | undefined): string {
  const change = first(entry.changes);
  const name = change ? (named(change) ?? call(change) ?? change.id ?? '') : '';
  const own = at(OWN, entry.action);
  if (own) return say(own, { name });
  const verb = at(VERBS, entry.action.split('.').at(-1) ?? '');
  const object = at(OBJECTS, change?.object ?? '');
  if (verb && object) return say(verb, { what: say(object), name });
  return [entry.action, change && `${change.object} ${name}`.trim()].filter(Boolean).join(' · ');
}

/** What an act is called where it can be asked for. */
export function asked(action: string, say: Say): string {
  const own = at(OWN, action);
  const object = ASKED[action];
  if (own) return alone(say(own, { name: '…' }));
  const verb = at(VERBS, action.split('.').at(-1) ?? '');
  return verb && object ? alone(say(verb, { what: say(OBJECTS[object]), name: '…' })) : action;
}

/** What is said of somebody, without them. */
function alone(said: string): string {
  const first = [...said][0] ?? '';
  return first.toLocaleUpperCase() + said.slice(first.length);
}

export interface Difference {
  field: string;
  before?: string;
  after?: string;
}

/** What is another now than it was, value by value. */
export function differences(change: AuditChange): Difference[] {
  const fields = new Set([...Object.keys(change.before ?? {}), ...Object.keys(change.after ?? {})]);
  return [...fields].map((field) => {
    const [before, after] = [told(change.before?.[field]), told(change.after?.[field])];
    return { field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  });
}

function told(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
