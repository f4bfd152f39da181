//! What happens in the demo, as a list of calls in the order of time. Nothing here is left to chance: every choice follows
//! from a thread's place in the list.

use std::collections::HashMap;

use antiphon_store::Millis;
use serde_json::{Value, json};

use super::attachments::{incoming, outgoing};
use super::texts::{Language, Person};

/// How many conversations there are.
pub const THREADS: usize = 200;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// When the shop opened: everything in the demo happens between then and the epoch.
pub const OPENING: Millis = -75 * DAY;

const PRODUCTS: [&str; 5] = ["Kestrel 7", "Heron Cargo", "Wren Fold", "Swift E2", "Plover Kids 20"];

/// A channel account, as far as conversations depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    pub account: i64,
    pub channel: i64,
    pub inbox: i64,
}

/// Accounts of the demo in the order in which they are made.
pub const CHAT: Desk = Desk { account: 1, channel: 1000, inbox: 1 };
pub const MESSENGER: Desk = Desk { account: 2, channel: 1001, inbox: 1 };
pub const CARE: Desk = Desk { account: 3, channel: 1002, inbox: 1 };
pub const WORKSHOP: Desk = Desk { account: 4, channel: 1002, inbox: 2 };
pub const WHATSAPP: Desk = Desk { account: 5, channel: 1007, inbox: 2 };
pub const HELP: Desk = Desk { account: 6, channel: 1002, inbox: 3 };
/// A mailbox of the old days, archived since.
pub const OLD: Desk = Desk { account: 7, channel: 1002, inbox: 1 };

/// Who answers: numbers and names.
pub const AGENTS: [(i64, &str); 3] = [(71, "Mia Torvald"), (72, "Jonas Abara"), (73, "Sofía Reyes")];

/// One call. `{thread}` in the path stands for the thread's id, `{message}` for its latest outgoing message.
#[derive(Debug, Clone)]
pub struct Step {
    /// When, from the epoch.
    pub at: Millis,
    /// The conversation, by its place.
    pub thread: usize,
    pub verb: &'static str,
    pub path: &'static str,
    pub body: Value,
}

const THREAD: &str = "/conversations/v3/conversations/threads/{thread}";
const MESSAGES: &str = "/conversations/v3/conversations/threads/{thread}/messages";
const ASSIGNEE: &str = "/conversations/v3/conversations/threads/{thread}/assignee";
const STATUS: &str = "/antiphon/v1/threads/{thread}/messages/{message}/status";
/// What opens a thread or goes on in it.
pub const INCOMING: &str = "/antiphon/v1/messages/incoming";

/// Everything that is said and done, in the order of time.
pub fn steps(languages: &[Language], spam: &Language, tickets: usize) -> Vec<Step> {
    let mut all: Vec<Step> =
        (0..THREADS).flat_map(|place| Conversation::new(place, languages, spam).told(tickets)).collect();
    all.sort_by_key(|step| (step.at, step.thread));
    all
}

/// One conversation while it is being told.
struct Conversation<'t> {
    place: usize,
    desk: Desk,
    texts: &'t Language,
    person: &'t Person,
    spam: bool,
    /// The visitor's number among the contacts; `None` if the visitor never says who they are.
    contact: Option<usize>,
    at: Millis,
    subject: String,
    slots: HashMap<&'static str, String>,
    /// How many messages so far.
    said: usize,
    /// What the other side said last, for letters that quote.
    quoted: String,
    steps: Vec<Step>,
}

impl<'t> Conversation<'t> {
    fn new(place: usize, languages: &'t [Language], spam: &'t Language) -> Self {
        let is_spam = place % 19 == 7;
        let texts = match place {
            _ if is_spam => spam,
            // Every other conversation is in English.
            _ if place.is_multiple_of(2) => &languages[0],
            _ => &languages[1 + place / 2 % (languages.len() - 1)],
        };
        let desk = match place {
            0..6 => OLD,
            _ => [CARE, CHAT, WORKSHOP, MESSENGER, HELP, CHAT, CARE, WHATSAPP, HELP][place % 9],
        };
        let who = place / 2 % texts.people.len();
        let person = &texts.people[who];
        let earlier = languages.iter().take_while(|language| language.language != texts.language);
        let contact = earlier.map(|language| language.people.len()).sum::<usize>() + who + 1;
        let given = person.name.split(' ').next().unwrap_or_default();
        let slots = HashMap::from([
            ("{order}", format!("LB-{}", 20_400 + place * 7)),
            ("{product}", PRODUCTS[place % PRODUCTS.len()].to_owned()),
            ("{agent}", AGENTS[place % 3].1.to_owned()),
            ("{customer}", given.to_owned()),
            ("{day}", texts.days[place % texts.days.len()].clone()),
        ]);
        let span = -OPENING - 4 * DAY;
        let start = OPENING + DAY + span / THREADS as i64 * place as i64 + (place as i64 * 37 % 600) * MINUTE;
        Self {
            place,
            desk,
            texts,
            person,
            spam: is_spam,
            contact: (!is_spam && (desk.channel != CHAT.channel || place % 4 != 1)).then_some(contact),
            at: start,
            subject: String::new(),
            slots,
            said: 0,
            quoted: String::new(),
            steps: Vec::new(),
        }
    }

    fn told(mut self, tickets: usize) -> Vec<Step> {
        let story = &self.texts.stories[self.place / 3 % self.texts.stories.len()];
        self.subject = self.filled(&story.subject);
        let answered = !self.spam && self.place % 7 != 4;
        for (turn, text) in story.turns.iter().enumerate() {
            let text = self.filled(text);
            match turn % 2 == 0 {
                true => self.hear(&text),
                false if answered => self.answer(&text),
                // Nobody has found the time yet.
                false => break,
            }
            if turn == 0 {
                self.settle(tickets, answered);
            }
        }
        if answered {
            self.go_on();
            self.end();
        }
        // Nothing reaches into the future, and the trash was filled of late: it is emptied after 30 days.
        self.steps.retain(|step| step.at < -2 * DAY);
        if self.place % 17 == 5 {
            self.at = -2 * DAY + self.place as i64 * MINUTE;
            self.step(0, "DELETE", THREAD, Value::Null);
        }
        self.steps
    }

    /// What happens right after the first message.
    fn settle(&mut self, tickets: usize, answered: bool) {
        if self.spam {
            return self.step(2 * MINUTE, "PUT", "/antiphon/v1/threads/{thread}/spam", Value::Null);
        }
        if self.place % 3 == 1 {
            let ticket = (self.place / 3 % tickets + 1).to_string();
            self.step(MINUTE, "PUT", "/antiphon/v1/threads/{thread}/ticket", json!({ "ticketId": ticket }));
        }
        if self.desk.channel == CHAT.channel && self.place % 3 == 2 {
            self.step(1500, "PUT", ASSIGNEE, json!({ "actorId": "B-9" }));
        }
        if answered && self.place % 5 == 3 {
            let agent = format!("A-{}", AGENTS[self.place % 3].0);
            self.step(4 * MINUTE, "PUT", ASSIGNEE, json!({ "actorId": agent }));
        }
    }

    /// Questions and answers after the story proper; in a few conversations they never seem to end.
    fn go_on(&mut self) {
        let rounds = match self.place {
            60 => 220,
            _ => 1 + self.place * 5 % 14,
        };
        for round in 0..rounds {
            if self.texts.follow_ups.is_empty() {
                return;
            }
            let (question, answer) =
                &self.texts.follow_ups[(self.place + round) % self.texts.follow_ups.len()];
            let (question, answer) = (self.filled(question), self.filled(answer));
            self.hear(&question);
            if round % 3 == 1 {
                self.note(round);
            }
            self.answer(&answer);
            if round == 2 && self.place % 11 == 3 {
                let inbox = self.desk.inbox % 3 + 1;
                self.step(
                    9 * MINUTE,
                    "PUT",
                    "/antiphon/v1/threads/{thread}/inbox",
                    json!({ "inboxId": inbox }),
                );
                // From there it is answered by letter only, from an account of the other inbox.
                break;
            }
        }
    }

    /// How it ends, and whether it does.
    fn end(&mut self) {
        if self.place % 10 == 6 {
            self.step(30 * MINUTE, "DELETE", ASSIGNEE, Value::Null);
        }
        if self.place % 5 < 2 {
            self.step(2 * HOUR, "PATCH", THREAD, json!({ "status": "CLOSED" }));
            if self.place % 15 == 1 {
                let (thanks, _) = &self.texts.follow_ups[0];
                let thanks = self.filled(thanks);
                self.at += DAY;
                self.hear(&thanks);
            }
        }
    }

    /// The visitor says something.
    fn hear(&mut self, text: &str) {
        let (desk, letter) = (self.desk, self.desk.channel == CARE.channel);
        let mut body = json!({
            "channelAccountId": desk.account.to_string(),
            "sender": self.sender(),
            "text": text,
            "integrationThreadId": format!("demo-{}", self.place),
        });
        if letter {
            let re = if self.said == 0 { "" } else { "Re: " };
            body["subject"] = json!(format!("{re}{}", self.subject));
            let mut whole = text.to_owned();
            if self.said > 0 && self.place.is_multiple_of(2) {
                let quoted: Vec<_> = self.quoted.lines().map(|line| format!("> {line}")).collect();
                whole = format!(
                    "{text}\n\nOn Mon, 5 Oct 2026 at 10:12, Larkspur Bikes <care@larkspur.example> wrote:\n{}\n",
                    quoted.join("\n")
                );
            }
            if self.place == 36 && self.said == 0 {
                whole = format!("{text}\n\n{}", diagnosis());
            }
            body["text"] = json!(whole);
            if self.place % 6 == 2 && self.said == 0 {
                body["cc"] = json!([{ "name": "Accounts", "email": "accounts@bellandsons.example" }]);
            }
        } else if self.texts.leftwards() {
            body["richText"] = json!(format!("<div dir=\"rtl\">{text}</div>"));
        }
        if let Some(attachment) = incoming(desk.channel, self.place + self.said * 3) {
            body["attachments"] = json!([attachment]);
        }
        let pause = if self.said == 0 { 0 } else { self.pause() };
        self.step(pause, "POST", INCOMING, body);
        self.said += 1;
        self.quoted = text.to_owned();
    }

    /// An agent answers. WhatsApp cannot be answered through the API, so there an agent leaves a note.
    fn answer(&mut self, text: &str) {
        if self.desk.channel == WHATSAPP.channel {
            let body = json!({ "type": "COMMENT", "text": text, "attachments": [] });
            self.step(self.pause(), "POST", MESSAGES, body);
            self.said += 1;
            return;
        }
        let desk = self.desk;
        let mut body = json!({
            "type": "MESSAGE",
            "text": text,
            "senderActorId": format!("A-{}", AGENTS[(self.place + self.said / 8) % 3].0),
            "channelId": desk.channel.to_string(),
            "channelAccountId": desk.account.to_string(),
        });
        if desk.channel == CARE.channel {
            let to = json!({ "type": "HS_EMAIL_ADDRESS", "value": self.person.email });
            let to = json!({ "recipientField": "TO", "name": self.person.name, "deliveryIdentifiers": [to] });
            body["recipients"] = json!([to]);
            body["richText"] = json!(format!("<p>{}</p>", text.replace('&', "&amp;").replace('<', "&lt;")));
        }
        if let Some(attachment) = outgoing(self.place + self.said * 5) {
            body["attachments"] = json!([attachment]);
        }
        self.step(self.pause(), "POST", MESSAGES, body);
        self.quoted = text.to_owned();
        self.said += 1;
        match (self.place + self.said) % 23 {
            4 if desk.channel == CARE.channel => {
                let why = "550 5.2.2 The recipient's mailbox is full";
                let details = json!({ "errorMessage": why, "errorMessageTokens": {} });
                self.step(
                    20_000,
                    "PUT",
                    STATUS,
                    json!({ "statusType": "FAILED", "failureDetails": details }),
                );
            }
            n if n % 3 == 1 => self.step(5 * MINUTE, "PUT", STATUS, json!({ "statusType": "READ" })),
            _ => {}
        }
    }

    fn note(&mut self, round: usize) {
        let text = self.filled(&self.texts.comments[(self.place + round) % self.texts.comments.len()]);
        self.step(
            2 * MINUTE,
            "POST",
            MESSAGES,
            json!({ "type": "COMMENT", "text": text, "attachments": [] }),
        );
    }

    fn step(&mut self, pause: Millis, verb: &'static str, path: &'static str, body: Value) {
        self.at += pause;
        self.steps.push(Step { at: self.at, thread: self.place, verb, path, body });
    }

    /// How long the next one takes to write: chats are quick, letters take their time.
    fn pause(&self) -> Millis {
        let slow = if self.desk.channel == CARE.channel { 11 } else { 1 };
        (20_000 + (self.place * 7919 + self.said * 104_729) as i64 % 160_000) * slow
    }

    fn sender(&self) -> Value {
        let (kind, value) = match self.desk.channel {
            1002 => ("HS_EMAIL_ADDRESS", self.person.email.clone()),
            1007 => ("HS_PHONE_NUMBER", self.person.phone.clone()),
            _ => ("CHANNEL_SPECIFIC_OPAQUE_ID", format!("visitor-{:04}", 1000 + self.place * 13)),
        };
        let identifier = json!({ "type": kind, "value": value });
        match self.contact {
            Some(contact) => json!({ "identifier": identifier, "contactId": contact.to_string() }),
            None if self.spam => json!({ "identifier": identifier, "name": self.person.name }),
            None => json!({ "identifier": identifier }),
        }
    }

    fn filled(&self, text: &str) -> String {
        self.slots.iter().fold(text.to_owned(), |text, (slot, value)| text.replace(slot, value))
    }
}

/// The log of a motor that a customer pasted into a letter: longer than any client should be asked to show.
fn diagnosis() -> String {
    let line = |n: usize| {
        format!("{n:05}  cell {:02}  {}.{:03} V  {:>2} °C  ok", n % 40, 3 + n % 2, n * 7 % 1000, 18 + n % 9)
    };
    (0..1500).map(line).collect::<Vec<_>>().join("\n")
}
