//! The rule for what goes out, row by row.

use antiphon_store::{AppId, MessageId, ThreadStatus};
use antiphon_wire::message::DeliveryIdentifier;

use super::*;
use crate::testing::{self, MAIL, NOW, entries, events, named};

/// A draft of a request body, as if nothing had to be looked up for it.
pub(crate) fn draft(body: serde_json::Value) -> Draft {
    let request = antiphon_wire::lenient::parse_body(body.to_string().as_bytes()).unwrap();
    Draft {
        sent: "55".into(),
        ..Draft::of(Author::App(AppId(4410)), request, Attachments::default(), vec![])
    }
}

/// A body that is all right, with some members set and those that are null left out.
pub(crate) fn letter(changed: serde_json::Value) -> Draft {
    let mut body = serde_json::json!({
        "type": "MESSAGE", "text": "Thanks, Ines.", "senderActorId": "A-71",
        "channelId": "1002", "channelAccountId": MAIL.0.to_string(),
        "recipients": [{ "actorId": "V-20",
            "deliveryIdentifiers": [{ "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" }] }],
    });
    for (name, value) in changed.as_object().unwrap() {
        body[name] = value.clone();
    }
    draft(body)
}

fn chat(changed: serde_json::Value) -> Draft {
    let mut body =
        serde_json::json!({ "channelId": 1000, "channelAccountId": testing::CHAT.0, "recipients": [] });
    for (name, value) in changed.as_object().unwrap() {
        body[name] = value.clone();
    }
    let identifier = DeliveryIdentifier { kind: DeliveryIdentifierType::Opaque, value: "chat-20".into() };
    let ines = Counterpart { visitor: VisitorId(20), name: Some("Ines".into()), identifier };
    Draft { counterparts: vec![ines], ..letter(body) }
}

fn post(state: &State, draft: &Draft) -> Result<Changes, Refusal> {
    post_message(state, draft, &mut Moment::still(NOW))
}

fn json(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn a_letter_as_it_is_answered() {
    let state = testing::state();
    let draft = letter(serde_json::json!({ "subject": null, "recipients": [
        { "actorId": "V-20", "recipientField": "to", "senderField": "FROM",
          "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } },
        { "recipientField": "CC",
          "deliveryIdentifiers": [{ "type": "HS_EMAIL_ADDRESS", "value": "books@example.net" }] },
        { "recipientField": "BCC",
          "deliveryIdentifiers": [{ "type": "HS_EMAIL_ADDRESS", "value": "mia@acme.example" }] },
    ] }));
    let changes = post(&state, &draft).unwrap();
    let message = &changes.messages[0];
    let before = MessageId([7; 16]);
    assert_eq!(
        json(&testing::messages(&changes)[0]),
        serde_json::json!({
            "type": "MESSAGE", "id": message.id.to_string(), "conversationsThreadId": "55",
            "createdAt": "2026-10-06T08:00:00.000Z", "updatedAt": "2026-10-06T08:00:00.000Z",
            "createdBy": "I-4410", "client": { "clientType": "INTEGRATION", "integrationAppId": 4410 },
            "senders": [{ "actorId": "A-71", "name": "Mia Lund", "senderField": "FROM",
                "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "help@acme.example" } }],
            "recipients": [
                { "actorId": "V-20", "recipientField": "TO",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "ines@example.net" } },
                { "recipientField": "CC",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "books@example.net" } },
                { "actorId": "A-71", "recipientField": "BCC",
                  "deliveryIdentifier": { "type": "HS_EMAIL_ADDRESS", "value": "mia@acme.example" } },
            ],
            "text": "Thanks, Ines.", "richText": "<div>Thanks, Ines.</div>", "attachments": [],
            "subject": "Re: Wrong VAT number", "truncationStatus": "NOT_TRUNCATED", "inReplyToId": before.to_string(),
            "status": { "statusType": "SENT" }, "direction": "OUTGOING",
            "channelId": "1002", "channelAccountId": "70018",
        })
    );
    assert_eq!(entries(&changes), ["MESSAGE OUTGOING by I-4410", "ASSIGNMENT -> A-71 by A-71"]);
    assert_eq!(events(&changes), ["newMessage MESSAGE", "assignedTo=A-71"]);
    let assignment = json(&testing::messages(&changes)[1]);
    assert_eq!(assignment["client"], serde_json::json!({ "clientType": "SYSTEM" }));
    assert_eq!(assignment["senders"], serde_json::json!([{ "actorId": "S-hubspot" }]));
    let thread = &changes.threads[0];
    assert_eq!((thread.latest_sent_at, thread.latest_message_at), (Some(NOW), Some(NOW)));
    assert_eq!(thread.latest_received_at, state.thread.unwrap().latest_received_at);
    assert_eq!(thread.latest_message_id, Some(message.id));
}

#[test]
fn a_comment_is_the_app_s_and_moves_nothing() {
    let mut state = testing::state();
    testing::close(&mut state);
    let note = draft(serde_json::json!({ "type": "comment", "text": "Call her", "senderActorId": "A-999",
        "recipients": [{ "actorId": "nonsense" }], "channelId": "x", "subject": "y" }));
    let changes = post(&state, &note).unwrap();
    assert_eq!(
        json(&testing::messages(&changes)[0]),
        serde_json::json!({
            "type": "COMMENT", "id": changes.messages[0].id.to_string(), "conversationsThreadId": "55",
            "createdAt": "2026-10-06T08:00:00.000Z", "createdBy": "I-4410",
            "client": { "clientType": "INTEGRATION", "integrationAppId": 4410 },
            "senders": [{ "actorId": "I-4410", "name": "Tests" }], "recipients": [],
            "text": "Call her", "richText": "<div>Call her</div>", "attachments": [],
        })
    );
    assert_eq!(events(&changes), ["newMessage COMMENT"]);
    let (before, after) = (state.thread.unwrap(), &changes.threads[0]);
    assert_eq!(after.latest_message_at, before.latest_message_at);
    assert_eq!((after.status, after.assigned_to.as_ref()), (ThreadStatus::Closed, None));
}

#[test]
fn the_state_of_the_thread() {
    for (is, status) in
        [("open", 201), ("closed", 201), ("spam", 201), ("assigned", 201), ("archived", 404), ("none", 404)]
    {
        let mut state = testing::state();
        let thread = state.thread.as_mut().unwrap();
        match is {
            "closed" => testing::close(&mut state),
            "spam" => thread.spam = true,
            "assigned" => thread.assigned_to = Some("B-5".into()),
            "archived" => thread.archived_at = Some(3),
            "none" => state.thread = None,
            _ => {}
        }
        for draft in [letter(serde_json::json!({})), draft(serde_json::json!({ "type": "NONSENSE" }))] {
            match post(&state, &draft) {
                Ok(changes) => {
                    assert_eq!(status, 201, "{is}");
                    let thread = &changes.threads[0];
                    assert_eq!(
                        thread.status == ThreadStatus::Closed,
                        is == "closed",
                        "a reply does not reopen"
                    );
                    let assignee = if is == "assigned" { "B-5" } else { "A-71" };
                    assert_eq!(thread.assigned_to.as_deref(), Some(assignee));
                }
                Err(refusal) if status == 404 => assert_eq!(refusal, Refusal::not_found("55")),
                Err(refusal) => assert_eq!(named(&refusal), ["type", "text"]),
            }
        }
    }
}

#[test]
fn an_inbox_may_keep_threads_unassigned() {
    let mut state = testing::state();
    state.thread.as_mut().unwrap().inbox_id = antiphon_store::InboxId(812);
    let elsewhere = letter(serde_json::json!({ "channelAccountId": testing::ELSEWHERE.0 }));
    assert_eq!(entries(&post(&state, &elsewhere).unwrap()), ["MESSAGE OUTGOING by I-4410"]);
}

#[test]
fn every_reason_to_refuse() {
    let long = |limit: usize| "é".repeat(limit + 1);
    let rows: &[(serde_json::Value, &[&str])] = &[
        (serde_json::json!({ "type": "WELCOME_MESSAGE" }), &["type"]),
        (serde_json::json!({ "text": null }), &["text"]),
        (serde_json::json!({ "text": "  " }), &["text"]),
        (serde_json::json!({ "text": "", "richText": "<div><br></div>" }), &["text"]),
        (serde_json::json!({ "text": long(TEXT_LIMIT) }), &["text"]),
        (serde_json::json!({ "richText": long(HTML_LIMIT) }), &["richText"]),
        (serde_json::json!({ "subject": long(SUBJECT_LIMIT) }), &["subject"]),
        (serde_json::json!({ "senderActorId": null }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "S-hubspot" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "I-4410" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "B-5" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "L-6" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "V-20" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "E-mia@acme.example" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "A-72" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "A-99" }), &["senderActorId"]),
        (serde_json::json!({ "senderActorId": "Mia" }), &["senderActorId"]),
        (serde_json::json!({ "channelId": null }), &["channelId"]),
        (serde_json::json!({ "channelId": "email" }), &["channelId"]),
        (serde_json::json!({ "channelAccountId": null }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": 1 }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": testing::ARCHIVED.0 }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": testing::INACTIVE.0 }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": testing::UNAUTHORIZED.0 }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": testing::CHAT.0 }), &["channelAccountId"]),
        (serde_json::json!({ "channelAccountId": testing::ELSEWHERE.0 }), &["channelAccountId"]),
        (serde_json::json!({ "channelId": 1003, "channelAccountId": testing::FORM.0 }), &["channelId"]),
        (serde_json::json!({ "channelId": 1004 }), &["channelId"]),
        (serde_json::json!({ "channelId": 1011 }), &["channelId"]),
        (serde_json::json!({ "channelId": 1005 }), &["channelId"]),
        (serde_json::json!({ "recipients": null }), &["recipients"]),
        (serde_json::json!({ "recipients": [] }), &["recipients"]),
        (
            serde_json::json!({ "senderActorId": null, "channelId": null, "channelAccountId": null }),
            &["senderActorId", "channelId", "channelAccountId"],
        ),
        (
            serde_json::json!({ "senderActorId": "I-4410", "recipients": [], "channelAccountId": testing::ELSEWHERE.0 }),
            &["senderActorId", "channelAccountId", "recipients"],
        ),
    ];
    for (index, (changed, names)) in rows.iter().enumerate() {
        let refusal = post(&testing::state(), &letter(changed.clone())).unwrap_err();
        assert_eq!(named(&refusal), *names, "row {index}: {changed} {refusal:?}");
    }
}

#[test]
fn reasons_are_told_in_words_and_codes() {
    let wrong = letter(serde_json::json!({
        "senderActorId": "I-4410", "channelAccountId": testing::ELSEWHERE.0 }));
    let Err(Refusal::Invalid(problems)) = post(&testing::state(), &wrong) else { panic!() };
    assert_eq!(
        problems[0].message,
        "Actor type INTEGRATOR is not supported for sending; `I-4410` is not a valid actor ID"
    );
    assert_eq!(
        problems[1].message,
        "Channel account 70031 belongs to inbox 812, but thread 55 is in inbox 640"
    );
    assert_eq!(problems[1].code.as_deref(), Some("CHANNEL_ACCOUNT_CANNOT_SEND_MESSAGE_ON_THREAD"));
}

#[test]
fn whatsapp_is_refused() {
    let wrong = letter(serde_json::json!({ "channelId": 1007, "channelAccountId": testing::WHATSAPP.0 }));
    assert_eq!(named(&post(&testing::state(), &wrong).unwrap_err())[0], "channelId");
}

#[test]
fn a_chat_answer_goes_to_whoever_wrote_last() {
    let state = State { thread: Some(testing::thread(testing::CHAT, 1000)), ..testing::state() };
    let changes = post(&state, &chat(serde_json::json!({ "subject": "ignored" }))).unwrap();
    let message = json(&testing::messages(&changes)[0]);
    assert_eq!(message["senders"], serde_json::json!([{ "actorId": "A-71", "name": "Mia Lund" }]));
    assert_eq!(
        message["recipients"],
        serde_json::json!([{ "actorId": "V-20", "name": "Ines",
        "deliveryIdentifier": { "type": "CHANNEL_SPECIFIC_OPAQUE_ID", "value": "chat-20" } }])
    );
    assert!(message.get("subject").is_none() && message.get("inReplyToId").is_none());
    let nobody = Draft { counterparts: vec![], ..chat(serde_json::json!({})) };
    assert_eq!(named(&post(&state, &nobody).unwrap_err()), ["recipients"]);
}

#[test]
fn a_form_is_answered_by_email() {
    let state = State { thread: Some(testing::thread(testing::FORM, 1003)), ..testing::state() };
    let changes = post(&state, &letter(serde_json::json!({ "subject": "Your request" }))).unwrap();
    let message = json(&testing::messages(&changes)[0]);
    assert_eq!((&message["channelId"], &message["subject"]), (&"1002".into(), &"Your request".into()));
}

#[test]
fn without_an_adapter_the_attempt_is_kept_as_failed() {
    let body = serde_json::json!({ "channelId": 1010, "channelAccountId": testing::UNSERVED.0 });
    let changes = post(&testing::state(), &chat(body)).unwrap();
    let status = json(&testing::messages(&changes)[0])["status"].clone();
    assert_eq!(status["statusType"], "FAILED");
    assert_eq!(status["failureDetails"]["errorMessageTokens"], serde_json::json!({}));
    assert!(status["failureDetails"]["errorMessage"].as_str().unwrap().contains("1010"));
}

#[test]
fn the_first_subject_is_the_thread_s() {
    let mut state = testing::state();
    state.thread.as_mut().unwrap().subject = None;
    let silent = post(&state, &letter(serde_json::json!({ "subject": null }))).unwrap();
    assert!(testing::messages(&silent)[0].subject.is_none());
    let said = post(&state, &letter(serde_json::json!({ "subject": "RE: Fwd: Invoice" }))).unwrap();
    assert_eq!(testing::messages(&said)[0].subject.as_deref(), Some("RE: Fwd: Invoice"));
    assert_eq!(said.threads[0].subject.as_deref(), Some("Invoice"));
}

#[test]
fn a_full_portal_takes_nothing_more() {
    let mut state = testing::state();
    testing::limit_messages(&mut state, 2);
    let first = post(&state, &letter(serde_json::json!({}))).unwrap();
    testing::apply(&mut state, &first);
    assert_eq!(post(&state, &letter(serde_json::json!({}))), Err(Refusal::QuotaExceeded));
}
