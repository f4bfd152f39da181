// What the server tells a visitor's browser, and what it is told.

export interface Agent {
  name?: string;
  avatar?: string;
}

export interface ChatConfig {
  title?: string | null;
  color?: string | null;
  position?: string;
  welcomeMessage?: string | null;
  quickReplies?: string[];
  available?: boolean;
  awayMessage?: string | null;
  askEmail?: boolean;
  attachments?: boolean;
  language?: string | null;
}

export interface Contact {
  email?: string;
  name?: string;
}

export interface SessionAnswer {
  session: string;
  expiresAt: string | number;
  visitorKey?: string | null;
  identified?: boolean;
  warning?: string;
  config?: ChatConfig;
  contact?: Contact | null;
  unread?: number;
  agents?: Agent[];
}

export interface Attachment {
  name: string;
  size?: number;
  type?: string;
  url: string;
  image?: boolean;
}

export interface QuickReplies {
  values: { value: string; label?: string | null; url?: string | null }[];
  multiSelect?: boolean;
}

export interface Message {
  id: string;
  threadId: number;
  from: 'VISITOR' | 'AGENT' | 'BOT' | 'SYSTEM';
  name?: string | null;
  avatar?: string | null;
  text: string;
  richText?: string | null;
  attachments?: Attachment[];
  quickReplies?: QuickReplies | null;
  createdAt: string;
  kind?: 'MESSAGE' | 'WELCOME_MESSAGE';
  status?: 'SENT' | 'READ' | null;
  clientId?: string | null;
}

export interface Thread {
  id: number;
  status: 'OPEN' | 'CLOSED';
  preview?: string | null;
  unread?: number;
  latestAt?: string | null;
  agent?: Agent | null;
}

export interface MessagePage {
  results: Message[];
  more?: boolean;
  /** Up to which message agents have read. */
  readUpTo?: string | null;
}

export interface UploadedFile {
  fileId: string;
  name: string;
  size?: number;
  type?: string;
  url?: string;
}

export interface Sent {
  message: Message;
  thread: { id: number; isNew?: boolean };
}
