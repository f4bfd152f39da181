/** Apps, how they are installed, and how they are told of events. */
import { api, ok } from './client';
import { Problem } from './problem';
import type { App, OauthSettings, Page, Subscription, WebhookAttempt, WebhookSettings, WebhookStatus, WebhookTrial } from './shapes';

const APPS = '/antiphon/v1/apps';
const APP = '/antiphon/v1/apps/{appId}';
const LIMIT = 50;

const of = (appId: string) => ({ params: { path: { appId } } });
const from = (after?: string) => ({ limit: LIMIT, ...(after ? { after } : {}) });

export function apps(after?: string): Promise<Page<App>> {
  return ok(api.GET(APPS, { params: { query: from(after) } }));
}

/** As many as one page can have, to name them. */
export async function everyApp(): Promise<App[]> {
  return (await ok(api.GET(APPS, { params: { query: { limit: 500 } } }))).results;
}

export function app(appId: string): Promise<App> {
  return ok(api.GET(APP, of(appId)));
}

/** The answer has the app's secrets, this once. */
export function makeApp(name: string): Promise<App> {
  return ok(api.POST(APPS, { body: { name } }));
}

export function changeApp(appId: string, body: { name?: string; active?: boolean }): Promise<App> {
  return ok(api.PATCH(APP, { ...of(appId), body }));
}

/** The answer has the fresh one, this once. */
export function rotate(appId: string, what: 'client-secret' | 'developer-key', atOnce: boolean): Promise<App> {
  const body = atOnce ? { atOnce } : {};
  return what === 'client-secret'
    ? ok(api.POST(`${APP}/client-secret/rotate`, { ...of(appId), body }))
    : ok(api.POST(`${APP}/developer-key/rotate`, { ...of(appId), body }));
}

export function oauth(appId: string): Promise<OauthSettings> {
  return ok(api.GET(`${APP}/oauth`, of(appId)));
}

export function changeOauth(appId: string, body: { redirectUris?: string[]; scopes?: string[] }): Promise<OauthSettings> {
  return ok(api.PATCH(`${APP}/oauth`, { ...of(appId), body }));
}

/** What an installed app acts with. */
export interface Given {
  access_token?: string;
  refresh_token?: string;
}

export function install(appId: string, userId: string, scopes: string[]): Promise<Given> {
  return ok(api.POST(`${APP}/install`, { ...of(appId), body: { userId, scopes } }));
}

export function uninstall(appId: string): Promise<unknown> {
  return ok(api.DELETE(`${APP}/install`, of(appId)));
}

/** Where an app is told, or nothing where nobody has said so. */
export async function webhook(appId: string): Promise<WebhookSettings | null> {
  try {
    return await ok(api.GET(`${APP}/webhook/settings`, of(appId)));
  } catch (error) {
    if (Problem.from(error).status === 404) return null;
    throw error;
  }
}

export function setWebhook(appId: string, targetUrl: string, maxConcurrentRequests: number): Promise<WebhookSettings> {
  return ok(api.PUT(`${APP}/webhook/settings`, { ...of(appId), body: { targetUrl, throttling: { maxConcurrentRequests } } }));
}

export function dropWebhook(appId: string): Promise<unknown> {
  return ok(api.DELETE(`${APP}/webhook/settings`, of(appId)));
}

export function webhookStatus(appId: string): Promise<WebhookStatus> {
  return ok(api.GET(`${APP}/webhook`, of(appId)));
}

export function pause(appId: string): Promise<WebhookStatus> {
  return ok(api.POST(`${APP}/webhook/pause`, { ...of(appId), body: {} }));
}

export function resume(appId: string): Promise<WebhookStatus> {
  return ok(api.POST(`${APP}/webhook/resume`, of(appId)));
}

export function tryOut(appId: string): Promise<WebhookTrial> {
  return ok(api.POST(`${APP}/webhook/test`, of(appId)));
}

export async function subscriptions(appId: string): Promise<Subscription[]> {
  return (await ok(api.GET(`${APP}/webhook/subscriptions`, of(appId)))).results;
}

export interface SubscriptionBody {
  eventType: Subscription['eventType'];
  propertyName?: string;
  expand: ('message' | 'thread' | 'contact')[];
  ordered: boolean;
}

export function subscribe(appId: string, body: SubscriptionBody): Promise<Subscription> {
  return ok(api.POST(`${APP}/webhook/subscriptions`, { ...of(appId), body: { ...body, active: true } }));
}

const one = (appId: string, subscriptionId: string) => ({ params: { path: { appId, subscriptionId } } });

export function switchSubscription(appId: string, subscriptionId: string, active: boolean): Promise<Subscription> {
  return ok(api.PATCH(`${APP}/webhook/subscriptions/{subscriptionId}`, { ...one(appId, subscriptionId), body: { active } }));
}

export function unsubscribe(appId: string, subscriptionId: string): Promise<unknown> {
  return ok(api.DELETE(`${APP}/webhook/subscriptions/{subscriptionId}`, one(appId, subscriptionId)));
}

/** Requests that were sent, the newest first. */
export function attempts(appId: string, succeeded: boolean | null, after?: string): Promise<Page<WebhookAttempt>> {
  const query = { ...from(after), ...(succeeded === null ? {} : { succeeded }) };
  return ok(api.GET(`${APP}/webhook/attempts`, { params: { path: { appId }, query } }));
}

/** One of them, with its events. */
export function attempt(appId: string, attemptId: string): Promise<WebhookAttempt> {
  return ok(api.GET(`${APP}/webhook/attempts/{attemptId}`, { params: { path: { appId, attemptId } } }));
}

export interface Resent {
  resent: number;
  skipped: number;
}

export function resend(appId: string, attemptId: string): Promise<Resent> {
  return ok(api.POST(`${APP}/webhook/attempts/{attemptId}/resend`, { params: { path: { appId, attemptId } } }));
}

/** Everything again that failed since a moment. */
export function resendFailed(appId: string, since: string): Promise<Resent> {
  return ok(api.POST(`${APP}/webhook/resend`, { ...of(appId), body: { since } }));
}
