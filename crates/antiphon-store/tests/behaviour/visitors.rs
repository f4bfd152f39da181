use antiphon_store::*;

use crate::kit::*;

fn visitor(id: i64, contact: bool, email: Option<&str>) -> Visitor {
    Visitor {
        id: VisitorId(id),
        contact,
        name: Some(format!("Person {id}")),
        email: email.map(str::to_owned),
        phone: None,
        avatar: None,
        created_at: NOON,
        updated_at: NOON,
    }
}

async fn put(kit: &Kit, visitors: Vec<Visitor>) -> Result<Applied, StoreError> {
    apply(&kit.store, kit.portal, Target::Directory, Changes { visitors, ..Changes::default() }).await
}

#[tokio::test]
async fn an_email_belongs_to_one_contact() {
    let kit = Kit::new().await;
    put(&kit, vec![visitor(1, true, Some("Ada@example.org")), visitor(2, false, Some("ada@example.org"))])
        .await
        .unwrap();
    let second = put(&kit, vec![visitor(3, true, Some("ADA@EXAMPLE.ORG"))]).await;
    assert!(matches!(second, Err(StoreError::Conflict(_))));
    let emails = ["ada@EXAMPLE.org".to_owned(), "nobody@example.org".to_owned()];
    let found = kit.store.contacts_by_emails(kit.portal, &emails).await.unwrap();
    assert_eq!(found, [visitor(1, true, Some("Ada@example.org"))]);
    // In another portal it may belong to somebody else.
    let other = portal(&kit.store, "Second").await;
    let changes = Changes { visitors: vec![visitor(1, true, Some("ada@example.org"))], ..Changes::default() };
    apply(&kit.store, other, Target::Directory, changes).await.unwrap();
}

#[tokio::test]
async fn a_visitor_becomes_a_contact_and_keeps_its_number() {
    let kit = Kit::new().await;
    put(&kit, vec![visitor(4, false, None)]).await.unwrap();
    put(&kit, vec![visitor(4, true, Some("x@example.org"))]).await.unwrap();
    let found = kit.store.visitors_by_ids(kit.portal, &[VisitorId(4), VisitorId(5)]).await.unwrap();
    assert_eq!(found, [visitor(4, true, Some("x@example.org"))]);
    let next = kit.store.change(kit.portal, Target::Visitor(VisitorId(4)), |state, moment| {
        assert!(state.visitor.as_ref().is_some_and(|visitor| visitor.contact));
        assert_eq!(moment.visitor_id(), VisitorId(5));
        Err::<Changes, _>(No)
    });
    next.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn an_address_on_an_account_is_known_however_it_is_written() {
    let kit = Kit::new().await;
    let address = |kind: &str, value: &str| Identifier { kind: kind.into(), value: value.into() };
    let phone = |value: &str| address("HS_PHONE_NUMBER", value);
    let identities = vec![
        (ACCOUNT, phone("+31 20 555"), VisitorId(4)),
        (ACCOUNT, address("HS_EMAIL_ADDRESS", "Ada@example.org"), VisitorId(5)),
        (AccountId(ACCOUNT.0 + 1), phone("+31 20 777"), VisitorId(4)),
    ];
    put(&kit, vec![visitor(4, false, None), visitor(5, false, None)]).await.unwrap();
    apply(&kit.store, kit.portal, Target::Directory, Changes { identities, ..Changes::default() })
        .await
        .unwrap();
    let asked = [
        phone("0031-20-555"),
        phone("+31 20 777"),
        address("HS_EMAIL_ADDRESS", "ADA@EXAMPLE.ORG"),
        address("CHANNEL_SPECIFIC_OPAQUE_ID", "+3120555"),
    ];
    let mut found = kit.store.visitors_by_addresses(kit.portal, ACCOUNT, &asked).await.unwrap();
    found.sort_by_key(|(_, id)| *id);
    assert_eq!(found, [(asked[0].clone(), VisitorId(4)), (asked[2].clone(), VisitorId(5))]);
    assert_eq!(kit.store.visitors_by_addresses(kit.portal, ACCOUNT, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn pages_of_visitors_go_by_id() {
    let kit = Kit::new().await;
    let all: Vec<Visitor> = (1..=9)
        .map(|id| visitor(id, id % 2 == 0, (id > 6).then_some("same@example.org").filter(|_| id != 8)))
        .collect();
    put(&kit, all.clone()).await.unwrap();
    let page = async |contacts, email: Option<&str>, after: i64| -> Vec<i64> {
        let query = VisitorQuery {
            contacts,
            email: email.map(str::to_owned),
            after: Some(VisitorId(after)),
            limit: 3,
        };
        kit.store.visitors(kit.portal, &query).await.unwrap().iter().map(|visitor| visitor.id.0).collect()
    };
    assert_eq!(page(false, None, 0).await, [1, 2, 3]);
    assert_eq!(page(false, None, 8).await, [9]);
    assert_eq!(page(true, None, 2).await, [4, 6, 8]);
    assert_eq!(page(false, Some("SAME@example.org"), 0).await, [7, 9]);
    assert_eq!(page(true, Some("same@example.org"), 0).await, [0; 0]);
}

#[tokio::test]
async fn tickets_and_files_are_kept() {
    let kit = Kit::new().await;
    let ticket = |id| Ticket { id: TicketId(id), subject: format!("Ticket {id}"), created_at: NOON };
    let file = |id: i64| File {
        id,
        name: format!("{id}.png"),
        media_type: "image/png".into(),
        size: Some(10),
        url: "https://example.org/a.png".into(),
        created_at: NOON,
        ..File::default()
    };
    let changes = Changes {
        tickets: (1..=5).map(ticket).collect(),
        files: vec![file(1), file(2)],
        ..Changes::default()
    };
    kit.apply(Target::Directory, changes).await;
    assert_eq!(kit.store.ticket_by_id(kit.portal, TicketId(3)).await.unwrap(), Some(ticket(3)));
    assert_eq!(kit.store.ticket_by_id(kit.portal, TicketId(6)).await.unwrap(), None);
    let page = kit.store.tickets(kit.portal, Some(TicketId(3)), 10).await.unwrap();
    assert_eq!(page, [ticket(4), ticket(5)]);
    assert_eq!(kit.store.files_by_ids(kit.portal, &[2, 7, 1]).await.unwrap().len(), 2);
    let found = kit.store.file_by_url(kit.portal, "https://example.org/a.png").await.unwrap();
    assert_eq!(found, Some(file(2)));
    assert_eq!(kit.store.file_by_url(kit.portal, "https://example.org/b.png").await.unwrap(), None);

    let thread = kit.thread(1).await;
    let target = Target::Ticket { ticket: Some(TicketId(3)), thread: Some(thread.id) };
    let link = kit.store.change(kit.portal, target, |state, _| {
        let (ticket, thread) = (state.ticket.clone().ok_or(No)?, state.thread.clone().ok_or(No)?);
        Ok::<_, No>(Changes {
            threads: vec![Thread { ticket_id: Some(ticket.id), ..thread }],
            ..Changes::default()
        })
    });
    link.await.unwrap().unwrap();
    assert_eq!(kit.read(thread.id).await.ticket_id, Some(TicketId(3)));
}
