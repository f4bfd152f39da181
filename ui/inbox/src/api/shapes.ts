/** The shapes that the application speaks of. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Inbox = Schemas['Inbox'];
export type Channel = Schemas['Channel'];
export type ChannelAccount = Schemas['ChannelAccount'];
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

export type Role = 'ADMIN' | 'AGENT' | 'READ_ONLY';

export interface Self {
  id: string;
  actorId: string;
  name?: string;
  email?: string;
  avatar?: string;
  role: Role;
}

export interface Session {
  agent: Self;
  portal: { id: string; name: string; timeZone: string };
  csrf: string;
  expiresAt: string;
}

export type WorkState = 'OPEN' | 'SNOOZED' | 'CLOSED' | 'SPAM' | 'ARCHIVED';

export interface ThreadContact {
  id: string;
  actorId: string;
  name?: string;
  email?: string;
  phone?: string;
  avatar?: string;
  contact: boolean;
}

export interface WorkThread {
  id: string;
  state: WorkState;
  status: 'OPEN' | 'CLOSED';
  inboxId: string;
  channelId: string;
  channelAccountId: string;
  subject?: string;
  preview?: string;
  contact: ThreadContact;
  assignedTo?: string;
  tags: string[];
  snoozedUntil?: string;
  spam: boolean;
  archived: boolean;
  createdAt: string;
  latestMessageTimestamp?: string;
  latestEntryTimestamp: string;
  latestDirection?: 'INCOMING' | 'OUTGOING';
  unread: boolean;
  ticketId?: string;
  readBy?: { actorId: string; messageId: string; at: string }[];
}

export interface Tag {
  id: string;
  name: string;
  color: string;
  archived?: boolean;
}

export interface ViewFilter {
  inboxIds?: string[];
  channelAccountIds?: string[];
  states?: WorkState[];
  assignee?: string;
  tagId?: string;
}

export interface View {
  id: string;
  name: string;
  shared: boolean;
  ownerAgentId?: string;
  position: number;
  filter: ViewFilter;
}

export interface Figures {
  unassigned: number;
  mine: number;
  open: number;
  snoozed: number;
  closed: number;
  spam: number;
  archived: number;
}

export interface Counts {
  views: { id: string; count: number }[];
  inboxes: ({ inboxId: string } & Figures)[];
  all: Figures;
}

export interface Answer {
  type: 'MESSAGE' | 'COMMENT';
  text: string;
  richText: string;
  attachments: { type: 'FILE'; fileId: string; name?: string }[];
  mentions?: string[];
}

export interface Draft extends Answer {
  updatedAt?: string;
}

export interface CannedReply {
  id: string;
  name: string;
  shortcut?: string;
  text: string;
  richText?: string;
  shared: boolean;
}

export interface Mention {
  threadId: string;
  messageId: string;
  by: string;
  at: string;
  seen?: boolean;
  preview?: string;
}

export interface Page<T> {
  results: T[];
  paging?: { next?: { after: string } };
}
