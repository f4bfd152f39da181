/** The shapes that the application speaks of. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Inbox = Schemas['Inbox'];
export type Channel = Schemas['Channel'];
export type ChannelAccount = Schemas['ChannelAccount'];
export type InboxSettings = Schemas['OwnInbox'];
export type AccountSettings = Schemas['OwnChannelAccount'];
export type ChatSettings = Schemas['ChatSettings'];
export type Token = Schemas['Token'];
export type App = Schemas['App'];
export type OauthSettings = Schemas['OauthSettings'];
export type WebhookSettings = Schemas['WebhookSettings'];
export type WebhookStatus = Schemas['WebhookStatus'];
export type WebhookAttempt = Schemas['WebhookAttempt'];
export type WebhookTrial = Schemas['WebhookTrial'];
export type Subscription = Schemas['Subscription'];
export type Agent = Schemas['OwnActor'];
export type Actor = Schemas['Actor'];
export type Contact = Schemas['Contact'];
export type StoredFile = Schemas['StoredFile'];
export type Attachment = Schemas['Attachment'];
export type FileAttachment = Schemas['FileAttachment'];
export type Entry = Schemas['Message'];
export type ChannelMessage = Schemas['ChannelMessage'];
export type Comment = Schemas['Comment'];
export type Happening = Schemas['Event'];
export type Passed = Schemas['Passed'];
export type WorkState = Schemas['WorkState'];
export type ThreadContact = Schemas['WorkContact'];
/** As lists tell it; `readBy` only where it was asked for alone. */
export type WorkThread = Schemas['WorkThread'] & { readBy?: Schemas['ReadBy'][] };
export type Tag = Schemas['Tag'];
export type View = Schemas['View'];
export type ViewFilter = Partial<View['filter']>;
export type Counts = Schemas['ViewCounts'];
export type Figures = Schemas['WorkCounts'];

export type Role = 'ADMIN' | 'AGENT' | 'READ_ONLY';

export type Session = Schemas['Session'];
export type OpenSession = Schemas['OpenSession'];
export type Invitation = Schemas['Invitation'];

/** What somebody did. What it did to each object is said without secrets. */
export interface AuditEntry extends Omit<Schemas['AuditEntry'], 'changes'> {
  changes: AuditChange[];
}

export interface AuditChange {
  object: string;
  id: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

export interface Answer {
  type: 'MESSAGE' | 'COMMENT';
  text: string;
  richText: string;
  attachments: { type: 'FILE'; fileId: string }[];
  mentions?: string[];
}

export interface Draft extends Omit<Answer, 'attachments'> {
  attachments: { fileId: string; name?: string; size?: number; type?: string }[];
  updatedAt?: string;
}

/** Where a chat on a web page came from, and what the visitor said of themselves. */
export interface ChatOrigin {
  url?: string;
  saidEmail?: string;
  identified: boolean;
}

export interface CannedReply {
  id: string;
  name: string;
  shortcut?: string;
  text: string;
  richText?: string;
  shared: boolean;
  /** Whose they are, if anybody's. */
  ownerActorId?: string;
}

export interface Mention {
  threadId: string;
  messageId: string;
  by: string;
  at: string;
  seen: boolean;
  text?: string;
}

export interface Page<T> {
  results: T[];
  paging?: { next?: { after: string } };
}
