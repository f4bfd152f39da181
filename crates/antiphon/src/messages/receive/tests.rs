//! The rule for what comes in, row by row.

use antiphon_store::ThreadStatus;
use antiphon_wire::message::TruncationStatus;

use super::*;
use crate::testing::{self, CHAT, FORM, MAIL, NOW, QUIET_CHAT, entries, events, public};

fn party(kind: &str, value: &str, name: Option<&str>) -> Party {
    let identifier = Identifier { kind: kind.into(), value: value.into() };
    Party { identifier, name: name.map(str::to_owned) }
}

fn address(value: &str, name: Option<&str>) -> Party {
    party("HS_EMAIL_ADDRESS", value, name)
}

fn words(text: &str) -> Cut {
    Cut::whole(Bodies::complete(Some(text.into()), None))
}

pub(crate) fn mail(text: &str) -> Incoming {
    let said = Cut::letter(Some(text.into()), None);
    Incoming {
        subject: Some("Re: Wrong VAT number".into()),
        recipients: vec![Addressee {
            party: address("help@acme.example", Some("Helpdesk")),
            field: Some(RecipientField::To),
        }],
        ..Incoming::new(MAIL, address("ines@example.net", Some("Ines Okafor")), said)
    }
}

pub(crate) fn chat(account: AccountId) -> Incoming {
    Incoming::new(account, party("CHANNEL_SPECIFIC_OPAQUE_ID", "chat-9", None), words("Is anybody there?"))
}

fn take(state: &State, incoming: &Incoming) -> Changes {
    receive(state, incoming, &mut Moment::still(NOW)).unwrap()
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn a_first_letter() {
    let mut incoming = mail("The number is wrong.");
    incoming
        .recipients
        .push(Addressee { party: address("mia@acme.example", None), field: Some(RecipientField::Cc) });
    let changes = take(&testing::empty(), &incoming);
    assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]);
    assert_eq!(events(&changes), ["creation", "(visitor)", "newMessage MESSAGE", "(touched)"]);
    assert_eq!(
        json(&testing::messages(&changes)[0]),
        serde_json::json!({
            "type": "MESSAGE", "id": changes.messages[0].id.to_string(), "conversationsThreadId": "1",
            "createdAt": "2026-10-06T08:00:00.000Z", "updatedAt": "2026-10-06T08:00:00.000Z", "createdBy": "V-1",
            "client": { "clientType": "HUBSPOT" },
            "senders": [{ "actorId": "V-1", "name": "Ines Okafor", "senderField": "FROM",
                "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } }],
            "recipients": [
                { "name": "Helpdesk", "recipientField": "TO",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" } },
                { "actorId": "A-71", "recipientField": "CC",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "mia@acme.example" } },
            ],
            "text": "The number is wrong.", "richText": "<div>The number is wrong.</div>", "attachments": [],
            "subject": "Re: Wrong VAT number", "truncationStatus": "NOT_TRUNCATED",
            "status": { "statusType": "RECEIVED" }, "direction": "INCOMING",
            "channelId": "1002", "channelAccountId": "70018",
        })
    );
    let opening = json(&testing::messages(&changes)[1]);
    assert_eq!(opening["client"], serde_json::json!({ "clientType": "SYSTEM" }));
    let thread = &changes.threads[0];
    assert_eq!((thread.subject.as_deref(), thread.visitor_id), (Some("Wrong VAT number"), VisitorId(1)));
    assert_eq!((thread.created_at, thread.latest_received_at), (NOW, Some(NOW)));
    let contact = &changes.visitors[0];
    assert!(contact.contact);
    assert_eq!(contact.email.as_deref(), Some("ines@example.net"));
    assert_eq!(changes.identities.len(), 1);
}

#[test]
fn a_first_chat_message_follows_its_greeting() {
    let changes = take(&testing::empty(), &chat(CHAT));
    assert_eq!(
        entries(&changes),
        ["WELCOME by S-hubspot", "MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]
    );
    assert_eq!(public(&changes), ["creation", "newMessage WELCOME_MESSAGE", "newMessage MESSAGE"]);
    let said = testing::messages(&changes);
    let greeting = json(&said[0]);
    assert_eq!(greeting["recipients"][0]["actorId"], "V-1");
    assert_eq!(greeting["richText"], "<div>Hello! How can we help?</div>");
    let message = json(&said[1]);
    assert_eq!(message["recipients"], serde_json::json!([]));
    assert!(message["senders"][0].get("senderField").is_none() && message.get("subject").is_none());
    assert!(!changes.visitors[0].contact, "a chat visitor is nobody's contact yet");
    assert_eq!(changes.threads[0].latest_message_at, Some(changes.messages[1].created_at));
    let quiet = take(&testing::empty(), &chat(QUIET_CHAT));
    assert_eq!(entries(&quiet), ["MESSAGE INCOMING by V-1", "STATUS OPEN by S-hubspot"]);
}

#[test]
fn a_form_is_one_message() {
    let said = words(&crate::messages::bodies::form_text([("Name", "Ines"), ("Order", "12")]));
    let changes = take(&testing::empty(), &Incoming::new(FORM, address("ines@example.net", None), said));
    assert_eq!(testing::messages(&changes)[0].text.as_deref(), Some("Name: Ines\nOrder: 12"));
    assert!(changes.visitors[0].contact);
}

#[test]
fn an_open_thread_goes_on() {
    let changes = take(&testing::state(), &mail("And the date."));
    assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-20"]);
    assert_eq!(events(&changes), ["newMessage MESSAGE"]);
    assert!(changes.visitors.is_empty() && changes.identities.is_empty());
}

#[test]
fn a_closed_thread_opens_again() {
    let mut state = testing::state();
    testing::close(&mut state);
    state.thread.as_mut().unwrap().assigned_to = Some("A-71".into());
    let changes = take(&state, &mail("Still wrong."));
    assert_eq!(entries(&changes), ["MESSAGE INCOMING by V-20", "STATUS OPEN by S-hubspot"]);
    assert_eq!(events(&changes), ["newMessage MESSAGE", "status=OPEN"]);
    let thread = &changes.threads[0];
    assert_eq!((thread.status, thread.closed_at), (ThreadStatus::Open, None));
    assert_eq!(thread.assigned_to.as_deref(), Some("A-71"));
}

#[test]
fn an_archived_thread_is_left_alone() {
    let mut state = testing::state();
    state.thread.as_mut().unwrap().archived_at = Some(3);
    let changes = take(&state, &mail("Hello?"));
    assert_eq!(public(&changes), ["creation", "newMessage MESSAGE"]);
    assert_ne!(changes.threads[0].id, testing::THREAD);
}

#[test]
fn a_repeat_changes_nothing() {
    let earlier = Earlier { thread_id: ThreadId(3), message_id: MessageId([9; 16]) };
    let state = State { earlier: Some(earlier), ..testing::state() };
    assert!(take(&state, &mail("again")).is_empty());
    let first = Incoming { idempotency_key: Some("k".into()), thread_key: Some("t".into()), ..mail("x") };
    let changes = take(&testing::empty(), &first);
    assert_eq!(changes.idempotency_keys[0].1, "k");
    assert_eq!(changes.idempotency_keys[0].2.message_id, changes.messages[0].id);
    assert_eq!(changes.thread_keys, [(MAIL, "t".to_owned(), changes.threads[0].id)]);
}

#[test]
fn a_forwarded_letter_has_two_senders() {
    let incoming =
        Incoming { forwarder: Some(address("boss@example.org", Some("Boss"))), ..mail("See below.") };
    let changes = take(&testing::empty(), &incoming);
    assert_eq!(
        json(&testing::messages(&changes)[0].senders),
        serde_json::json!([
            { "actorId": "V-1", "name": "Ines Okafor", "senderField": "ORIGINAL_FROM",
              "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } },
            { "name": "Boss", "senderField": "FROM",
              "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "boss@example.org" } },
        ])
    );
}

#[test]
fn an_answer_names_its_question_only_inside_the_thread() {
    let question = MessageId([4; 16]);
    let incoming = Incoming { in_reply_to: Some(question), ..mail("Yes.") };
    for (replied, named) in [(Some(testing::THREAD), true), (Some(ThreadId(99)), false), (None, false)] {
        let state = State { replied, ..testing::state() };
        let message = testing::messages(&take(&state, &incoming)).remove(0);
        assert_eq!(message.in_reply_to_id, named.then(|| question.to_string()));
    }
}

#[test]
fn a_quoting_letter_keeps_what_was_cut() {
    let text = "Thanks!\n\nOn Tue, 6 Oct 2026 at 09:02, Helpdesk <help@acme.example> wrote:\n> An invoice.\n";
    let changes = take(&testing::state(), &mail(text));
    let message = testing::messages(&changes).remove(0);
    assert_eq!(message.truncation_status, Some(TruncationStatus::ToMostRecentReply));
    assert!(!message.text.unwrap().contains("invoice"));
    let original: serde_json::Value =
        serde_json::from_slice(changes.messages[0].original.as_ref().unwrap()).unwrap();
    assert_eq!(original["text"], text);
    assert!(original["richText"].as_str().unwrap().contains("invoice"));
}

#[test]
fn who_is_speaking() {
    let ines = testing::ines();
    let stranger = Visitor { contact: false, email: None, name: None, id: VisitorId(30), ..ines.clone() };
    let nobody = testing::empty();
    // Known by the address on the account; as a contact from elsewhere; as a visitor who becomes one.
    let changes = take(&State { contact: Some(ines.clone()), ..nobody.clone() }, &mail("x"));
    assert_eq!((changes.threads[0].visitor_id, changes.visitors.len()), (VisitorId(20), 0));
    assert_eq!(changes.identities[0].2, VisitorId(20));
    let changes = take(&State { visitor: Some(stranger.clone()), ..nobody.clone() }, &mail("x"));
    assert_eq!(changes.threads[0].visitor_id, VisitorId(30));
    assert!(changes.visitors[0].contact && changes.identities.is_empty());
    assert_eq!(changes.visitors[0].name.as_deref(), Some("Ines Okafor"));
    // A visitor whose address turns out to be a contact's speaks as that contact from now on.
    let both = State { visitor: Some(stranger.clone()), contact: Some(ines.clone()), ..nobody.clone() };
    let changes = take(&both, &mail("x"));
    assert_eq!((changes.threads[0].visitor_id, changes.identities[0].2), (VisitorId(20), VisitorId(20)));
    // Unless somebody else is named.
    let named = Incoming { visitor: Some(VisitorId(30)), ..mail("x") };
    let changes = take(&both, &named);
    assert_eq!((changes.threads[0].visitor_id, changes.identities[0].2), (VisitorId(30), VisitorId(30)));
    assert!(
        changes.visitors.iter().all(|visitor| visitor.email.is_none()),
        "the address stays the contact's"
    );
}

#[test]
fn old_messages_keep_their_time_and_order() {
    let old = Incoming { at: Some(NOW - 1_000_000), published_by: Some(AppId(4410)), ..chat(QUIET_CHAT) };
    let changes = take(&testing::empty(), &old);
    let times: Vec<_> = changes.messages.iter().map(|message| message.created_at).collect();
    assert_eq!(times, [NOW - 1_000_000, NOW - 999_999]);
    assert_eq!(
        json(&testing::messages(&changes)[0].client),
        serde_json::json!(
        { "clientType": "INTEGRATION", "integrationAppId": 4410 })
    );
    let late = take(&testing::state(), &old);
    assert_eq!(late.messages[0].created_at, testing::state().thread.unwrap().latest_entry_at + 1);
    let future = take(&testing::empty(), &Incoming { at: Some(NOW + 5000), ..chat(QUIET_CHAT) });
    assert_eq!(future.messages[0].created_at, NOW);
}

#[test]
fn some_accounts_take_nothing() {
    for account in [AccountId(1), testing::ARCHIVED, testing::INACTIVE] {
        let refused = receive(&testing::empty(), &chat(account), &mut Moment::still(NOW)).unwrap_err();
        assert_eq!(testing::named(&refused), ["channelAccountId"]);
    }
    let mut full = testing::empty();
    testing::limit_messages(&mut full, 1);
    assert_eq!(receive(&full, &chat(QUIET_CHAT), &mut Moment::still(NOW)), Err(Refusal::QuotaExceeded));
}
