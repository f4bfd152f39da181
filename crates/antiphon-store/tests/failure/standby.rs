//! A primary dies and its standby takes over; and a standby that does not confirm.

use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Options};
use antiphon_store::StoreError;
use tokio::time::sleep;

use crate::kit::*;

/// A scene whose commits wait for a standby, which has to outlive it.
async fn replicated() -> (Cluster, Scene) {
    let scene = Scene::on(small(Options::durable()), |_| {}).await;
    let standby = scene.cluster.standby().unwrap();
    // Said afterwards, so that the standby waits for nobody when it takes over.
    scene.cluster.rows("ALTER SYSTEM SET synchronous_standby_names = '*'").unwrap();
    scene.cluster.rows("ALTER SYSTEM SET synchronous_commit = 'remote_apply'").unwrap();
    scene.cluster.rows("SELECT pg_reload_conf()").unwrap();
    scene.until("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").await;
    scene.proxy.cut();
    (standby, scene)
}

fn url(scene: &Scene, server: &Cluster) -> String {
    scene.database.url_through(server.port())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_takes_over_has_all_that_was_acknowledged() {
    let (standby, scene) = replicated().await;
    let flood = scene.flood(4);
    sleep(Duration::from_millis(1_500)).await;
    scene.cluster.kill().unwrap();
    scene.proxy.lead_to(standby.port());
    // Until it is told to take over it can only be read.
    sleep(Duration::from_millis(300)).await;
    standby.promote().unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    sleep(Duration::from_millis(500)).await;
    let tally = flood.end().await;
    assert!(tally.acknowledged > 100, "{tally:?}");
    scene.judge.judge(&url(&scene, &standby)).await.unwrap();
}

/// Both are named in the URL, and the primary is only cut off: it lives on and still believes that it is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_is_found_by_its_name_in_the_url() {
    let (standby, mut scene) = replicated().await;
    let (host, behind) = (format!("127.0.0.1:{}", scene.proxy.port()), standby.proxy().unwrap());
    let both =
        scene.proxy.url(&scene.database).replace(&host, &format!("{host},127.0.0.1:{}", behind.port()));
    scene.store.close().await;
    scene.reopened(both, |_| {});
    let flood = scene.flood(4);
    sleep(Duration::from_millis(1_500)).await;
    scene.proxy.refuse();
    scene.proxy.cut();
    standby.promote().unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    sleep(Duration::from_millis(500)).await;
    let tally = flood.end().await;
    assert!(tally.acknowledged > 100, "{tally:?}");
    scene.judge.judge(&url(&scene, &standby)).await.unwrap();
    // It would wait in vain for its standby.
    scene.cluster.kill().unwrap();
}

/// Somebody loses patience with a commit that waits for its standby.
async fn cancelled(how: &str) {
    let (standby, scene) = replicated().await;
    scene.send(1).await.unwrap();
    let end = format!(
        "SELECT count({how}(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'"
    );

    // The standby comes back while it is found out: then the commit is known to stand.
    standby.pause().unwrap();
    let sender = scene.sender();
    let sending = tokio::spawn(async move { sender.send(1).await });
    scene.until(&end).await;
    sleep(Duration::from_millis(500)).await;
    assert!(!sending.is_finished());
    standby.resume().unwrap();
    sending.await.unwrap().unwrap();

    // It does not come back in time.
    standby.pause().unwrap();
    let begun = Instant::now();
    let sender = scene.sender();
    let sending = tokio::spawn(async move { sender.send(1).await });
    scene.until(&end).await;
    let told = sending.await.unwrap();
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    standby.resume().unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.sound().await;
    scene.cluster.wait_for(&standby).unwrap();
    scene.judge.judge(&url(&scene, &standby)).await.unwrap();
}

/// The database is told to keep its warnings to itself, and one of these is that the standby has not confirmed.
async fn muted() {
    let (standby, scene) = replicated().await;
    scene.cluster.rows("ALTER ROLE postgres SET client_min_messages = error").unwrap();
    scene.proxy.cut();
    scene.recovers(1, RECOVERED).await;
    standby.pause().unwrap();
    let sender = scene.sender();
    let sending = tokio::spawn(async move { sender.send(1).await });
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity \
                  WHERE wait_event = 'SyncRep' AND query LIKE 'COMMIT%'";
    scene.until(cancel).await;
    let told = sending.await.unwrap();
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    standby.resume().unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_wait_for_the_standby_that_is_given_up_is_no_success() {
    side_by_side!(cancelled("pg_cancel_backend"), cancelled("pg_terminate_backend"), muted());
}
