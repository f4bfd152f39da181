//! Whoever reads the database reads no secret, and nobody goes on with another master key.

use std::path::Path;

use antiphon_store::*;

use crate::kit::*;

const SECRET: &str = "5f0c7a52-the-secret-of-an-app";
const OLDER: &str = "11aa22bb-the-secret-before-that";

fn app() -> App {
    App {
        id: AppId(4410),
        name: "Demo".into(),
        avatar: None,
        client_secret: SECRET.into(),
        developer_key: "key".into(),
        user_id: None,
        old_secret: Some(Replaced { value: OLDER.into(), until: NOON + 5 }),
        old_key: None,
        active: true,
        created_at: NOON,
    }
}

const SHARED: &str = "the-authenticators-secret";
const ASKED: &str = "the-one-that-was-asked-for";

/// An agent who signs in with a code, and has lost their password.
fn login() -> Login {
    Login {
        agent_id: 71,
        password: "$argon2id$hash".into(),
        role: Role::ReadOnly,
        changed_at: NOON + 3,
        invite: Some((TokenHash([4; 32]), NOON + 9)),
        totp: Some(Totp(SHARED.into())),
        totp_asked: Some(Totp(ASKED.into())),
        recovery: vec![TokenHash([0xab; 32]), TokenHash([1; 32])],
        subject: Some("https://issuer.example somebody".into()),
    }
}

async fn with_a_login() -> Kit {
    let kit = Kit::new().await;
    let directory = vec![DirectoryChange::Login(login())];
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    kit
}

async fn agent(store: &Store, portal: PortalId) -> Login {
    store.directory(portal).await.unwrap().unwrap().login(71).unwrap().clone()
}

async fn with_an_app() -> Kit {
    let kit = Kit::new().await;
    let directory = vec![DirectoryChange::App(app())];
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    kit
}

async fn known(store: &Store, portal: PortalId) -> App {
    store.directory(portal).await.unwrap().unwrap().app(AppId(4410)).unwrap().clone()
}

/// Everything that is in the store's place, as whoever steals it reads it.
fn raw(kit: &Kit) -> Vec<u8> {
    match &kit.database {
        None => files(kit.dir.path()),
        Some(database) => {
            let tables = database
                .rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
                .unwrap();
            let mut all = String::new();
            for table in tables.into_iter().flatten().flatten() {
                let rows = database.rows(&format!("SELECT t::text FROM \"{table}\" t")).unwrap();
                all.extend(rows.into_iter().flatten().flatten());
            }
            all.into_bytes()
        }
    }
}

fn files(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { files(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

fn has(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|part| part == text.as_bytes())
}

/// Runs SQL where the store is, while nobody serves it.
fn sql(kit: &Kit, text: &str) {
    match &kit.database {
        Some(database) => drop(database.rows(text).unwrap()),
        None => rusqlite::Connection::open(kit.dir.path().join("antiphon.db"))
            .unwrap()
            .execute_batch(text)
            .unwrap(),
    }
}

fn opened(kit: &Kit, key: KeySource) -> Result<Store, OpenError> {
    Store::open(Settings { key, ..settings(&kit.dir, &kit.clock, kit.database.as_ref()) })
}

#[tokio::test]
async fn a_raw_look_finds_no_secret() {
    let kit = with_an_app().await.reopen().await;
    assert_eq!(known(&kit.store, kit.portal).await, app());
    kit.store.close().await;
    let all = raw(&kit);
    assert!(has(&all, "Demo") && has(&all, "key"), "it was looked at the wrong place");
    assert!(!has(&all, SECRET) && !has(&all, OLDER));
}

#[tokio::test]
async fn secrets_in_clear_are_sealed_at_the_first_start() {
    let kit = with_an_app().await;
    kit.store.close().await;
    let before = format!(
        "UPDATE apps SET client_secret = '{SECRET}', old_secret = '{OLDER}'; DELETE FROM signing_keys; \
         UPDATE server SET key_check = NULL"
    );
    sql(&kit, &before);
    assert!(has(&raw(&kit), SECRET) && has(&raw(&kit), OLDER));
    let kit = kit.reopen().await;
    assert_eq!(known(&kit.store, kit.portal).await, app());
    assert_eq!(kit.store.signing_keys().await.unwrap().len(), 1);
    kit.store.close().await;
    let all = raw(&kit);
    assert!(!has(&all, SECRET) && !has(&all, OLDER));
}

#[tokio::test]
async fn another_master_key_is_refused_and_so_is_none() {
    let kit = with_an_app().await;
    kit.store.close().await;
    let other = opened(&kit, KeySource::Given(MasterKey::fresh().unwrap()));
    let told = other.err().unwrap().to_string();
    assert!(told.contains("another master key") && told.contains("antiphon key replace"), "{told}");
    let nowhere = kit.dir.path().join("nowhere.key");
    let none = opened(&kit, KeySource::File(nowhere.clone())).err().unwrap().to_string();
    assert!(none.contains("nowhere.key") && none.contains("antiphon key replace"), "{none}");
    assert!(!nowhere.exists(), "a new key would not open what is there");
    let kit = kit.reopen().await;
    assert_eq!(known(&kit.store, kit.portal).await, app());
}

#[tokio::test]
async fn a_key_file_is_made_at_the_first_start() {
    let kit = Kit::with(|settings| settings.key = KeySource::of(&settings.data_dir)).await;
    kit.store.close().await;
    let file = kit.dir.path().join("secret.key");
    let key = MasterKey::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    opened(&kit, KeySource::Given(key)).unwrap().close().await;
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(opened(&kit, KeySource::of(kit.dir.path())), Err(OpenError::NoKey(..))));
}

#[tokio::test]
async fn a_new_signing_key_ends_the_others_in_time() {
    let kit = with_an_app().await;
    let [first] = kit.store.signing_keys_found().try_into().unwrap();
    let second = kit.store.signing_key_rotate(NOON + 50).await.unwrap();
    let third = kit.store.signing_key_rotate(NOON + 90).await.unwrap();
    let keys = kit.store.signing_keys().await.unwrap();
    let ends: Vec<_> = keys.iter().map(|key| (key.id, key.ends_at)).collect();
    let (a, b, c) = (first.id, second.id, third.id);
    assert_eq!(ends, [(a, Some(NOON + 50)), (b, Some(NOON + 90)), (c, None)]);
    assert_eq!([keys[0].value, keys[1].value, keys[2].value], [first.value, second.value, third.value]);
    assert!(first.value != second.value && second.value != third.value);
    let kit = kit.reopen().await;
    assert_eq!(kit.store.signing_keys_found(), keys);
    kit.clock.store(NOON + 60, std::sync::atomic::Ordering::Relaxed);
    kit.store.signing_key_rotate(NOON + 1000).await.unwrap();
    let ids: Vec<i64> = kit.store.signing_keys().await.unwrap().iter().map(|key| key.id).collect();
    assert_eq!(ids, [b, c, c + 1], "what has ended goes, and no id comes twice");
}

#[tokio::test]
async fn everything_is_sealed_anew_with_another_master_key() {
    let kit = with_an_app().await;
    kit.store.signing_key_rotate(NOON + 50).await.unwrap();
    let keys = kit.store.signing_keys().await.unwrap();
    kit.store.close().await;
    let old = settings(&kit.dir, &kit.clock, kit.database.as_ref());
    let (now, new) = (old.clone(), MasterKey::fresh().unwrap());
    let fresh = new.clone();
    // A store that was just closed may take a moment to let go.
    drop(kit.store);
    let done = tokio::task::spawn_blocking(move || Store::reseal(&now, &fresh)).await.unwrap().unwrap();
    assert_eq!(done, [Resealed { app: AppId(4410), fresh: None }]);
    assert!(matches!(Store::open(old.clone()), Err(OpenError::OtherKey(..))));
    let store = Store::open(Settings { key: KeySource::Given(new), ..old }).unwrap();
    assert_eq!(known(&store, kit.portal).await, app());
    assert_eq!(store.signing_keys_found(), keys);
}

#[tokio::test]
async fn a_lost_master_key_costs_the_secrets_and_nothing_else() {
    let kit = with_an_app().await;
    let thread = kit.thread(1).await;
    let keys = kit.store.signing_keys_found();
    kit.store.close().await;
    let lost = KeySource::File(kit.dir.path().join("lost.key"));
    let lost = Settings { key: lost, ..settings(&kit.dir, &kit.clock, kit.database.as_ref()) };
    let (now, new) = (lost.clone(), MasterKey::fresh().unwrap());
    let fresh = new.clone();
    drop(kit.store);
    let done = tokio::task::spawn_blocking(move || Store::reseal(&now, &fresh)).await.unwrap().unwrap();
    let [Resealed { app: AppId(4410), fresh: Some(secret) }] = &done[..] else { panic!("{done:?}") };
    let store = Store::open(Settings { key: KeySource::Given(new), ..lost }).unwrap();
    let expected = App { client_secret: secret.clone(), old_secret: None, ..app() };
    assert_eq!(known(&store, kit.portal).await, expected);
    let found = store.signing_keys_found();
    assert_eq!(found.len(), 1);
    assert!(found[0].value != keys[0].value && found[0].id > keys[0].id);
    assert!(store.thread_by_id(kit.portal, thread.id).await.unwrap().is_some());
}

/// Takes another master key for a store that is closed, and opens it with that.
async fn resealed(old: Settings) -> Store {
    let (now, new) = (old.clone(), MasterKey::fresh().unwrap());
    let fresh = new.clone();
    tokio::task::spawn_blocking(move || Store::reseal(&now, &fresh)).await.unwrap().unwrap();
    Store::open(Settings { key: KeySource::Given(new), ..old }).unwrap()
}

#[tokio::test]
async fn how_an_agent_signs_in_is_kept_whole_and_what_authenticators_share_is_sealed() {
    let kit = with_a_login().await;
    assert_eq!(agent(&kit.store, kit.portal).await, login());
    let kit = kit.reopen().await;
    assert_eq!(agent(&kit.store, kit.portal).await, login());
    // All of it may be absent again.
    let plain = Login::new(71, "$argon2id$other".into(), Role::Admin, NOON + 4);
    let directory = vec![DirectoryChange::Login(plain.clone())];
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    let kit = kit.reopen().await;
    assert_eq!(agent(&kit.store, kit.portal).await, plain);
    let directory = vec![DirectoryChange::Login(login())];
    kit.apply(Target::Directory, Changes { directory, ..Changes::default() }).await;
    kit.store.close().await;
    let all = raw(&kit);
    assert!(has(&all, "issuer.example"), "it was looked at the wrong place");
    assert!(!has(&all, SHARED) && !has(&all, ASKED));
}

#[tokio::test]
async fn authenticators_go_on_under_another_master_key_and_let_nobody_in_when_it_is_lost() {
    let kit = with_a_login().await;
    kit.store.close().await;
    drop(kit.store);
    let at = settings(&kit.dir, &kit.clock, kit.database.as_ref());
    let store = resealed(at.clone()).await;
    assert_eq!(agent(&store, kit.portal).await, login());
    let sealed = async |store: &Store| -> Vec<(Invariant, String)> {
        let found = store.check(true, |_| true, |_, _| ()).await.unwrap();
        found.into_iter().map(|one| (one.invariant, one.to_string())).collect()
    };
    let of_secrets = |found: Vec<(Invariant, String)>| {
        let about = |one: &Invariant| matches!(one, Invariant::Authenticators | Invariant::Sealed);
        found.into_iter().filter(|(one, _)| about(one)).collect::<Vec<_>>()
    };
    assert_eq!(of_secrets(sealed(&store).await), []);
    store.close().await;
    drop(store);
    let lost = KeySource::File(kit.dir.path().join("lost.key"));
    let store = resealed(Settings { key: lost, ..at }).await;
    // A password alone does not do: there is an authenticator still, and no code of it is right.
    let unopened = Some(Totp(Vec::new()));
    let left = Login { totp: unopened.clone(), totp_asked: unopened, ..login() };
    assert_eq!(agent(&store, kit.portal).await, left);
    let found = of_secrets(sealed(&store).await);
    let [(Invariant::Authenticators, told)] = &found[..] else { panic!("{found:?}") };
    let begins = format!("the authenticator of agent 71 of portal {} does not open; ", kit.portal);
    assert!(told.starts_with(&begins) && told.contains("/agents/{agentId}/totp"), "{told}");
    store.close().await;
}
