/** What administrators set a portal up with: inboxes, accounts on channels, tokens. */
import { api, ok } from './client';
import type { Channel, ChannelAccount, ChatSettings, Inbox, InboxSettings, AccountSettings, Page, Token } from './shapes';

const V3 = '/conversations/v3/conversations';
const OWN = '/antiphon/v1';
const LIMIT = 50;

/** A page of a list, from where the last one ended. */
const from = (after?: string) => ({ limit: LIMIT, ...(after ? { after } : {}) });

export function inboxes(archived: boolean, after?: string): Promise<Page<Inbox>> {
  return ok(api.GET(`${V3}/inboxes`, { params: { query: { archived, ...from(after) } } }));
}

/** An inbox, archived or not, with what only administrators see. */
export function inboxSettings(inboxId: string): Promise<InboxSettings> {
  return ok(api.GET(`${OWN}/inboxes/{inboxId}`, { params: { path: { inboxId } } }));
}

export interface InboxBody {
  name?: string;
  type?: Inbox['type'];
  assignOnReply?: boolean;
  archived?: boolean;
}

export function makeInbox(body: InboxBody): Promise<InboxSettings> {
  return ok(api.POST(`${OWN}/inboxes`, { body }));
}

export function changeInbox(inboxId: string, body: InboxBody): Promise<InboxSettings> {
  return ok(api.PATCH(`${OWN}/inboxes/{inboxId}`, { params: { path: { inboxId } }, body }));
}

/** Those of an inbox lie together. */
export function accounts(archived: boolean, after?: string): Promise<Page<ChannelAccount>> {
  return ok(api.GET(`${V3}/channel-accounts`, { params: { query: { archived, sort: ['inboxId'], ...from(after) } } }));
}

export async function channels(): Promise<Channel[]> {
  return (await ok(api.GET(`${V3}/channels`, { params: { query: { limit: 500 } } }))).results;
}

export function accountSettings(channelAccountId: string): Promise<AccountSettings> {
  return ok(api.GET(`${OWN}/channel-accounts/{channelAccountId}`, { params: { path: { channelAccountId } } }));
}

export interface AccountBody {
  name?: string;
  inboxId?: string;
  active?: boolean;
  archived?: boolean;
  adapter?: string;
  deliveryIdentifier?: { type: string; value: string };
}

export function makeAccount(body: AccountBody & { channelId: string }): Promise<AccountSettings> {
  return ok(api.POST(`${OWN}/channel-accounts`, { body }));
}

export function changeAccount(channelAccountId: string, body: AccountBody): Promise<AccountSettings> {
  return ok(api.PATCH(`${OWN}/channel-accounts/{channelAccountId}`, { params: { path: { channelAccountId } }, body }));
}

export function purgeAccount(channelAccountId: string): Promise<unknown> {
  return ok(api.POST(`${OWN}/channel-accounts/{channelAccountId}/purge`, { params: { path: { channelAccountId } } }));
}

export type ChatBody = Omit<ChatSettings, 'accountId' | 'title'> & { title?: string };

export function chat(channelAccountId: string): Promise<ChatSettings> {
  return ok(api.GET(`${OWN}/channel-accounts/{channelAccountId}/chat`, { params: { path: { channelAccountId } } }));
}

export function setChat(channelAccountId: string, body: ChatBody): Promise<ChatSettings> {
  return ok(api.PUT(`${OWN}/channel-accounts/{channelAccountId}/chat`, { params: { path: { channelAccountId } }, body }));
}

export function removeChat(channelAccountId: string): Promise<unknown> {
  return ok(api.DELETE(`${OWN}/channel-accounts/{channelAccountId}/chat`, { params: { path: { channelAccountId } } }));
}

export function tokens(after?: string): Promise<Page<Token>> {
  return ok(api.GET(`${OWN}/tokens`, { params: { query: from(after) } }));
}

export interface TokenBody {
  label: string;
  scopes: string[];
  appId?: string;
  expiresAt?: string;
}

/** The answer has the token itself, this once. */
export function makeToken(body: TokenBody): Promise<Token> {
  return ok(api.POST(`${OWN}/tokens`, { body }));
}

export function rotateToken(tokenId: string, atOnce: boolean): Promise<Token> {
  return ok(api.POST(`${OWN}/tokens/{tokenId}/rotate`, { params: { path: { tokenId } }, body: { atOnce } }));
}

export function revokeToken(tokenId: string): Promise<unknown> {
  return ok(api.DELETE(`${OWN}/tokens/{tokenId}`, { params: { path: { tokenId } } }));
}

/** Begins to connect an account of a channel that an app brought; the browser goes to the app's page next. */
export async function connect(channelId: string, inboxId: string, userId: string): Promise<string> {
  const begun = await ok(api.POST(`${OWN}/channels/{channelId}/connect`, { params: { path: { channelId } }, body: { inboxId, userId } }));
  return begun.location;
}
