//! The database is restarted, crashes, or throws everybody out, under load.

use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Options};
use tokio::time::sleep;

use crate::kit::*;

async fn restarted(down: impl Fn(&Cluster)) {
    let scene = Scene::on(small(Options::durable()), |_| {}).await;
    let flood = scene.flood(4);
    let mut longest = Duration::ZERO;
    for _ in 0..5 {
        sleep(Duration::from_millis(fastrand::u64(200..600))).await;
        let begun = Instant::now();
        down(&scene.cluster);
        sleep(Duration::from_millis(fastrand::u64(..500))).await;
        scene.cluster.start_again().unwrap();
        longest = longest.max(begun.elapsed());
        scene.recovers(1, RECOVERED).await;
        scene.reads_recover(RECOVERED).await;
    }
    let tally = flood.end().await;
    // Everything waits for it, unless this machine is so busy that it is away for long.
    assert!(tally.refused == 0 || longest > Duration::from_secs(4), "{tally:?} after {longest:?}");
    assert!(tally.unknown == 0 || longest > Duration::from_secs(8), "{tally:?} after {longest:?}");
    assert!(tally.acknowledged > 100, "{tally:?}");
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_costs_nobody_anything() {
    restarted(|cluster| cluster.stop().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_server_costs_nobody_anything() {
    restarted(|cluster| cluster.kill().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_ended_again_and_again_cost_nobody_anything() {
    let scene = Scene::new().await;
    let flood = scene.flood(4);
    for round in 0..60 {
        sleep(Duration::from_millis(fastrand::u64(20..200))).await;
        let how = if round % 3 == 0 { "pg_cancel_backend" } else { "pg_terminate_backend" };
        let end = format!("SELECT {how}(pid) FROM pg_stat_activity WHERE application_name = 'antiphon'");
        scene.cluster.rows(&end).unwrap();
    }
    scene.reads_recover(Duration::from_secs(1)).await;
    let tally = flood.end().await;
    assert_eq!((tally.refused, tally.unknown), (0, 0));
    assert!(tally.acknowledged > 300 && tally.slowest < RECOVERED, "{tally:?}");
    scene.sound().await;
}
