//! The database has no connections left, takes no changes, or takes too long.

use std::time::{Duration, Instant};

use antiphon_cluster::Options;
use antiphon_store::StoreError;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::kit::*;

pub async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// All connections that read are busy.
async fn exhausted() {
    let scene = Scene::on(small(Options::default()), |at| at.connections = 2).await;
    scene.send(1).await.unwrap();
    let other = connect(&scene.database.url()).await.unwrap();
    other.batch_execute("BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        let store = scene.store.clone();
        readers.spawn(async move {
            store.message_by_id(PORTAL, antiphon_store::ThreadId(1), antiphon_store::MessageId([7; 16])).await
        });
    }
    while let Some(read) = readers.join_next().await {
        let read = read.unwrap();
        assert!(matches!(read, Err(StoreError::Busy | StoreError::Unavailable(_))), "{read:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    other.batch_execute("ROLLBACK").await.unwrap();
    scene.read().await.unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.sound().await;
}

/// The server has no connection left.
async fn without_room() {
    let scene = Scene::on(small(Options::default()).set("max_connections", "20"), |_| {}).await;
    scene.send(1).await.unwrap();
    let own = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'antiphon'";
    let (mut others, asker) = (Vec::new(), connect(&scene.database.url()).await.unwrap());
    // All at once, since those who were ended come back at once.
    scene.proxy.refuse();
    asker.query(own, &[]).await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        match connect(&scene.database.url()).await {
            Ok(other) => others.push(other),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    scene.proxy.pass();
    let begun = Instant::now();
    let (read, told) = tokio::join!(scene.read(), scene.send(1));
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop(others);
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    scene.sound().await;
}

/// The database takes no changes; it is read all the same.
async fn read_only() {
    let scene = Scene::new().await;
    let flood = scene.flood(2);
    sleep(Duration::from_millis(300)).await;
    scene.cluster.rows("ALTER SYSTEM SET default_transaction_read_only = on").unwrap();
    scene.cluster.rows("SELECT pg_reload_conf()").unwrap();
    let begun = Instant::now();
    while scene.send(3).await.is_ok() {}
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // Those who come later are not kept waiting as long.
    let begun = Instant::now();
    let told = scene.send(3).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    for _ in 0..20 {
        scene.read().await.unwrap();
    }
    let off = connect(&scene.database.url()).await.unwrap();
    off.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    off.batch_execute("ALTER SYSTEM RESET default_transaction_read_only").await.unwrap();
    off.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    scene.recovers(3, RECOVERED).await;
    let tally = flood.end().await;
    assert!(tally.unknown == 0 && tally.refused > 0, "{tally:?}");
    scene.sound().await;
}

/// A statement takes longer than it may.
async fn slow_statement() {
    let scene = Scene::new().await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; \
                CREATE TRIGGER slow BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION slow()";
    scene.database.rows(slow).unwrap();
    let begun = Instant::now();
    let told = scene.send(1).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(24), "{:?}", begun.elapsed());
    scene.database.rows("DROP TRIGGER slow ON messages").unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn whoever_cannot_be_served_is_sent_away_in_time() {
    side_by_side!(exhausted(), without_room(), read_only(), slow_statement());
}
