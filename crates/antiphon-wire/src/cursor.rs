//! Cursors: where the next page begins. Opaque to clients, and made of letters that survive any encoding or decoding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::lenient::wire_enum;

/// Most characters of a cursor.
pub const MAX_LENGTH: usize = 512;

/// Most bytes of a [`Cursor::Directory`]'s key; longer ones are cut when the cursor is printed.
pub const MAX_KEY: usize = 360;

const VERSION: u8 = 1;

/// The key by which a list of threads is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadSort {
    /// By id.
    Id,
    /// By the time of the newest message, then by id.
    LatestMessage,
}

wire_enum! {
    /// A list that is not threads and not messages.
    pub enum List {
        /// Inboxes.
        Inboxes = "INBOXES",
        /// Channels.
        Channels = "CHANNELS",
        /// Channel accounts.
        ChannelAccounts = "CHANNEL_ACCOUNTS",
        /// Our own list of portals.
        Portals = "PORTALS",
        /// Our own list of tokens.
        Tokens = "TOKENS",
        /// Our own list of apps.
        Apps = "APPS",
        /// Our own list of agents, bots and AI agents.
        Actors = "ACTORS",
        /// Our own list of contacts.
        Contacts = "CONTACTS",
        /// Our own list of tickets.
        Tickets = "TICKETS",
        /// Files.
        Files = "FILES",
        /// Our own list of requests to an app.
        Attempts = "ATTEMPTS",
        /// Our own list of events that an app has not taken.
        Deliveries = "DELIVERIES",
        /// Folders.
        Folders = "FOLDERS",
        /// Channels that an app brought.
        CustomChannels = "CUSTOM_CHANNELS",
        /// Accounts of one of them.
        CustomAccounts = "CUSTOM_CHANNEL_ACCOUNTS",
        /// Our own list of threads, as agents see them.
        Work = "WORK",
        /// Our own list of tags.
        Tags = "TAGS",
        /// Our own list of views.
        Views = "VIEWS",
        /// Ready-made words.
        CannedReplies = "CANNED_REPLIES",
        /// Notes in which an agent is called.
        Mentions = "MENTIONS",
    }
}

/// A place in a list: what it is ordered by, and the last item of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cursor {
    /// Behind a thread.
    Threads {
        /// The order.
        sort: ThreadSort,
        /// Its direction.
        descending: bool,
        /// The thread's value of the sort key.
        key: i64,
        /// The thread.
        id: i64,
    },
    /// Behind an entry of a thread's history.
    Messages {
        /// Oldest first.
        ascending: bool,
        /// The entry's sequence number.
        position: i64,
    },
    /// Behind an item of a list.
    Directory {
        /// Which list.
        list: List,
        /// A hash of the sort keys.
        sort: u64,
        /// The item's values of the sort keys, in whatever form the list prints them; may be empty.
        key: Vec<u8>,
        /// The item.
        id: i64,
    },
}

impl Cursor {
    /// Prints the cursor.
    pub fn encode(&self) -> String {
        let mut text = Vec::new();
        self.write(&mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    /// Prints the cursor behind what is there.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut bytes = Bytes { buffer: [0; 384], length: 0 };
        bytes.push(&[VERSION]);
        match self {
            Self::Threads { sort, descending, key, id } => {
                bytes.push(&[1, u8::from(*sort == ThreadSort::LatestMessage), u8::from(*descending)]);
                bytes.push(&key.to_be_bytes());
                bytes.push(&id.to_be_bytes());
            }
            Self::Messages { ascending, position } => {
                bytes.push(&[2, u8::from(*ascending)]);
                bytes.push(&position.to_be_bytes());
            }
            Self::Directory { list, sort, key, id } => {
                bytes.push(&[3, *list as u8]);
                bytes.push(&sort.to_be_bytes());
                bytes.push(&id.to_be_bytes());
                bytes.push(&key[..key.len().min(MAX_KEY)]);
            }
        }
        let mut text = [0; MAX_LENGTH];
        // 384 bytes are 512 letters, so there is always room.
        let length =
            URL_SAFE_NO_PAD.encode_slice(&bytes.buffer[..bytes.length], &mut text).unwrap_or_default();
        out.extend_from_slice(&text[..length]);
    }

    /// Reads a cursor; `None` if nothing here printed it.
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut buffer = [0; 384];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
        let (&[version, kind], rest) = buffer[..length].split_first_chunk()?;
        if version != VERSION {
            return None;
        }
        let flag = |byte: u8| (byte <= 1).then_some(byte == 1);
        match kind {
            1 => {
                let (&[sort, descending], rest) = rest.split_first_chunk()?;
                let (key, id) = rest.split_first_chunk()?;
                Some(Self::Threads {
                    sort: if flag(sort)? { ThreadSort::LatestMessage } else { ThreadSort::Id },
                    descending: flag(descending)?,
                    key: i64::from_be_bytes(*key),
                    id: i64::from_be_bytes(id.try_into().ok()?),
                })
            }
            2 => {
                let (&[ascending], position) = rest.split_first_chunk()?;
                Some(Self::Messages {
                    ascending: flag(ascending)?,
                    position: i64::from_be_bytes(position.try_into().ok()?),
                })
            }
            3 => {
                let (&[list], rest) = rest.split_first_chunk()?;
                let (sort, rest) = rest.split_first_chunk()?;
                let (id, key) = rest.split_first_chunk()?;
                (key.len() <= MAX_KEY).then_some(())?;
                Some(Self::Directory {
                    list: *List::ALL.get(usize::from(list))?,
                    sort: u64::from_be_bytes(*sort),
                    key: key.to_vec(),
                    id: i64::from_be_bytes(*id),
                })
            }
            _ => None,
        }
    }
}

/// The bytes of a cursor before they become letters.
struct Bytes {
    buffer: [u8; 384],
    length: usize,
}

impl Bytes {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}
