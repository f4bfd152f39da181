/** What a portal is made of, as far as agents need it. */
import { api, ok } from './client';
import type { Agent, ChannelAccount, Counts, Inbox, Page, Tag, View } from './shapes';

const V3 = '/conversations/v3/conversations';
const query = { limit: 500 };

export async function inboxes(): Promise<Inbox[]> {
  return (await ok(api.GET(`${V3}/inboxes`, { params: { query } }))).results;
}

export async function accounts(): Promise<ChannelAccount[]> {
  return (await ok(api.GET(`${V3}/channel-accounts`, { params: { query } }))).results;
}

/** Those whose work here is needed to name people; one page, since a team is small. */
export async function agents(): Promise<Agent[]> {
  return (await ok(api.GET('/antiphon/v1/agents', { params: { query } }))).results;
}

export async function tags(): Promise<Tag[]> {
  return (await ok(api.GET('/antiphon/v1/tags', { params: { query } }))).results;
}

export function makeTag(name: string, color: string): Promise<Tag> {
  return ok(api.POST('/antiphon/v1/tags', { body: { name, color } }));
}

/** The same with those that are archived, a page at a time. */
export function tagPage(after?: string): Promise<Page<Tag>> {
  return ok(api.GET('/antiphon/v1/tags', { params: { query: { limit: 100, ...(after ? { after } : {}) } } })) as Promise<Page<Tag>>;
}

export function changeTag(tagId: string, body: { name?: string; color?: string; archived?: boolean }): Promise<Tag> {
  return ok(api.PATCH('/antiphon/v1/tags/{tagId}', { params: { path: { tagId } }, body }));
}

/** What is said of a view to make or change it. */
export interface ViewBody {
  name: string;
  shared: boolean;
  filter: View['filter'];
}

export async function views(): Promise<View[]> {
  return (await ok(api.GET('/antiphon/v1/views', { params: { query } }))).results;
}

export function makeView(body: ViewBody): Promise<View> {
  return ok(api.POST('/antiphon/v1/views', { body }));
}

export function dropView(viewId: string): Promise<unknown> {
  return ok(api.DELETE('/antiphon/v1/views/{viewId}', { params: { path: { viewId } } }));
}

export function counts(): Promise<Counts> {
  return ok(api.GET('/antiphon/v1/views/counts', {}));
}

/** Names of actors that no list has: bots, apps, people of the past. */
export async function actors(ids: string[]): Promise<Page<{ id: string; name?: string; avatar?: string }>> {
  return (await ok(api.POST(`${V3}/actors/batch/read`, { body: { inputs: ids } }))) as never;
}

export function changeView(viewId: string, body: ViewBody): Promise<View> {
  return ok(api.PATCH('/antiphon/v1/views/{viewId}', { params: { path: { viewId } }, body }));
}

/** What the portal is called, and by which clock it goes. */
export function changePortal(body: { name: string; timeZone: string }): Promise<unknown> {
  return ok(api.PATCH('/antiphon/v1/portal', { body }));
}
