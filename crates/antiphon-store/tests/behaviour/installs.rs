use antiphon_store::*;

use crate::kit::*;

const APP: AppId = AppId(7);
const CHANNEL: i64 = 1_000_000;

fn app(name: &str, active: bool) -> DirectoryChange {
    DirectoryChange::App(App {
        id: APP,
        name: name.into(),
        avatar: None,
        client_secret: "secret".into(),
        developer_key: "key".into(),
        user_id: None,
        old_secret: None,
        old_key: None,
        active,
        created_at: NOON,
    })
}

fn told() -> [DirectoryChange; 2] {
    let webhook = Webhook {
        app_id: APP,
        target_url: "https://example.org/hook".into(),
        max_concurrent: 10,
        created_at: NOON,
        updated_at: None,
        paused: None,
        closing_at: None,
        deleted_at: None,
    };
    [DirectoryChange::Webhook(webhook), subscription(true)]
}

fn subscription(active: bool) -> DirectoryChange {
    DirectoryChange::Subscription(Subscription {
        id: SubscriptionId(1),
        app_id: APP,
        event_type: "conversation.creation".into(),
        property_name: None,
        object_type_id: None,
        event_type_name: None,
        active,
        expand: Expand::default(),
        ordered: false,
        created_at: NOON,
        updated_at: None,
        deleted_at: None,
        since: 0,
        since_at: NOON,
    })
}

fn channel(archived_at: Option<Millis>) -> DirectoryChange {
    DirectoryChange::Channel(Channel {
        id: CHANNEL,
        app_id: APP,
        name: "Harbour SMS".into(),
        webhook_url: Some("https://example.org/sms".into()),
        redirect_url: None,
        description: None,
        logo_url: None,
        capabilities: "{}".into(),
        created_at: NOON,
        archived_at,
    })
}

/// The app has to be let in, and is known by where it sends users back to.
fn public() -> DirectoryChange {
    let redirect_uris = vec!["https://example.org/back".into()];
    DirectoryChange::Client(Client { app_id: APP, redirect_uris, scopes: Vec::new() })
}

fn install(home: PortalId, installed_at: Millis, uninstalled_at: Option<Millis>) -> DirectoryChange {
    let scopes = vec!["oauth".into(), "conversations.read".into()];
    DirectoryChange::Install(Install { app_id: APP, home, scopes, installed_at, uninstalled_at })
}

async fn write(kit: &Kit, portal: PortalId, directory: Vec<DirectoryChange>) {
    let changes = Changes { directory, ..Changes::default() };
    kit.store
        .change(portal, Target::Directory, move |_, _| Ok::<_, No>(changes.clone()))
        .await
        .unwrap()
        .unwrap();
}

async fn elsewhere(kit: &Kit) -> PortalId {
    let made = kit.store.portal_create(None, "Elsewhere".into(), "UTC".into(), Quota::default()).await;
    made.unwrap().unwrap().id
}

#[tokio::test]
async fn an_app_that_has_to_be_let_in_is_told_while_it_is() {
    let kit = Kit::new().await;
    let here = kit.portal;
    write(&kit, here, [app("Bridge", true), channel(None)].into_iter().chain(told()).collect()).await;
    let key = AppId::of_channel(CHANNEL);
    let cursor = async |of| kit.store.cursor(here, Reader::Webhooks, of).await.unwrap().map(|at| at.position);
    assert!(cursor(APP).await.is_some() && cursor(key).await.is_some(), "nobody has to let it in");
    for of in [APP, key] {
        let waits = Delivery {
            position: 1,
            subscription_id: SubscriptionId(1),
            object_id: 1,
            attempts: 1,
            first_at: NOON,
            last_at: NOON,
            due_at: Some(NOON),
            loose: false,
            error: "500".into(),
        };
        kit.store.deliveries_put(here, of, vec![waits]).await.unwrap();
    }
    write(&kit, here, vec![public()]).await;
    for of in [APP, key] {
        assert_eq!(cursor(of).await, None);
        let all = kit.store.deliveries(here, of, DeliveryState::Waiting, None, 9).await.unwrap();
        assert_eq!(all, [], "what waited is dropped");
    }
    assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), []);
    for round in 0..2 {
        let now = kit.store.event_position(here).await.unwrap();
        write(&kit, here, vec![install(here, NOON + round, None)]).await;
        assert_eq!((cursor(APP).await, cursor(key).await), (Some(now), Some(now)), "it begins at now");
        assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), [Told { portal: here, app: APP }]);
        write(&kit, here, vec![install(here, NOON + round, Some(NOON + 9))]).await;
        assert_eq!((cursor(APP).await, cursor(key).await), (None, None));
        assert_eq!(
            (kit.store.told(Reader::Webhooks).await.unwrap(), kit.store.told_channels().await.unwrap()),
            (vec![], vec![])
        );
    }
}

#[tokio::test]
async fn an_app_from_elsewhere_is_what_it_is_at_home() {
    let kit = Kit::new().await;
    let (here, home) = (kit.portal, elsewhere(&kit).await);
    write(&kit, home, [app("Bridge", true), public(), channel(None)].into_iter().chain(told()).collect())
        .await;
    let directory = async || kit.store.directory(here).await.unwrap().unwrap();
    assert_eq!((directory().await.app(APP), directory().await.channel(CHANNEL)), (None, None));
    let begin = kit.store.event_position(here).await.unwrap();
    write(&kit, here, vec![install(home, NOON, None)]).await;
    let seen = directory().await;
    assert_eq!((&*seen.app(APP).unwrap().name, seen.own_app(APP)), ("Bridge", None));
    assert_eq!((seen.channel(CHANNEL).unwrap().app_id, seen.subscriptions(APP).count()), (APP, 1));
    assert_eq!((seen.apps().len(), seen.channels(false).len()), (0, 0), "it is not of this portal");
    assert!(seen.is_installed(APP) && !kit.store.directory(home).await.unwrap().unwrap().is_installed(APP));

    // It is told here, and not at home, where nobody has let it in.
    assert_eq!(kit.store.told(Reader::Webhooks).await.unwrap(), [Told { portal: here, app: APP }]);
    let key = AppId::of_channel(CHANNEL);
    assert_eq!(kit.store.told_channels().await.unwrap(), [Told { portal: here, app: key }]);
    for of in [APP, key] {
        let cursor = kit.store.cursor(here, Reader::Webhooks, of).await.unwrap().unwrap();
        assert_eq!(cursor.position, begin);
        assert_eq!(kit.store.cursor(home, Reader::Webhooks, of).await.unwrap(), None);
    }

    // What becomes of it at home is so here at once, for whoever asks and for rules.
    for (name, active) in [("Bridge two", true), ("Bridge two", false), ("Bridge", true)] {
        write(&kit, home, vec![app(name, active)]).await;
        let seen = directory().await;
        let known = seen.app(APP).unwrap();
        assert_eq!((&*known.name, known.active, seen.reads(Reader::Webhooks, APP)), (name, active, active));
        let rule = move |state: &State, _: &mut Moment| {
            let known = state.directory.app(APP).unwrap();
            assert_eq!((&*known.name, known.active), (name, active));
            Ok::<_, No>(Changes::default())
        };
        kit.store.change(here, Target::Directory, rule).await.unwrap().unwrap();
    }
    write(&kit, home, vec![subscription(false), channel(Some(NOON))]).await;
    assert!(directory().await.channel(CHANNEL).unwrap().archived_at.is_some());
    assert_eq!(
        (kit.store.told(Reader::Webhooks).await.unwrap(), kit.store.told_channels().await.unwrap()),
        (vec![], vec![])
    );
    write(&kit, home, vec![subscription(true), channel(None)]).await;

    write(&kit, here, vec![install(home, NOON, Some(NOON + 1))]).await;
    let seen = directory().await;
    assert_eq!(seen.app(APP).map(|app| &*app.name), Some("Bridge"), "its name stays");
    assert!(
        seen.channel(CHANNEL).is_some() && !seen.is_installed(APP) && seen.guests_channels().next().is_none()
    );
    for of in [APP, key] {
        assert_eq!(kit.store.cursor(here, Reader::Webhooks, of).await.unwrap(), None);
    }
    let kit = kit.reopen().await;
    let seen = kit.store.directory(here).await.unwrap().unwrap();
    assert_eq!(seen.install(APP).and_then(|one| one.uninstalled_at), Some(NOON + 1));
    assert_eq!(seen.app(APP).map(|app| &*app.name), Some("Bridge"));
}

#[tokio::test]
async fn nobody_writes_to_an_app_from_elsewhere() {
    let kit = Kit::new().await;
    let (here, home) = (kit.portal, elsewhere(&kit).await);
    write(&kit, home, vec![app("Bridge", true)]).await;
    write(&kit, here, vec![install(home, NOON, None)]).await;
    let changes = Changes { directory: vec![app("Mine", true)], ..Changes::default() };
    let taken = kit.store.change(here, Target::Directory, move |_, _| Ok::<_, No>(changes.clone())).await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(kit.store.directory(here).await.unwrap().unwrap().app(APP).unwrap().name, "Bridge");
}
