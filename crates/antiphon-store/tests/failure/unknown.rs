//! A commit of which nothing can be found out is told as that, soon, and as nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_cluster::{Cut, Proxy};
use antiphon_store::StoreError;

use crate::cuts::commits;
use crate::kit::*;

/// The commit is cut, and then nobody can be asked.
async fn out_of_reach(cut: Cut, done: bool) {
    let scene = Scene::new().await;
    let line = Arc::downgrade(&scene.proxy);
    scene.proxy.cut_when(move |way, bytes| {
        commits(way, bytes).then(|| {
            line.upgrade().as_deref().map(Proxy::refuse);
            cut
        })
    });
    let begun = Instant::now();
    let told = scene.send(1).await;
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(13), "{:?}", begun.elapsed());
    assert_eq!(scene.ask("SELECT count(*) FROM messages"), if done { "1" } else { "0" });
    // Those who come now are told that nothing was done.
    let told = scene.send(1).await;
    assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    scene.proxy.pass();
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    scene.sound().await;
}

/// When the line falls silent.
#[derive(Clone, Copy, PartialEq)]
enum Silent {
    /// With the commit on its way.
    Before,
    /// With its answer on the way.
    After,
}

/// From some moment on nothing arrives, and nobody is told.
async fn black_hole(silent: Silent) {
    let scene = Scene::new().await;
    scene.send(1).await.unwrap();
    scene.read().await.unwrap();
    // So long is the line that the answer to a commit is under way for a while.
    scene.proxy.delay(Duration::from_millis(200));
    let (line, mut held) = (Arc::downgrade(&scene.proxy), false);
    scene.proxy.cut_when(move |way, bytes| {
        if commits(way, bytes) && !held {
            held = true;
            let line = line.clone();
            let hold = move || line.upgrade().as_deref().map(Proxy::hold);
            match silent {
                Silent::Before => drop(hold()),
                Silent::After => drop(std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(100));
                    hold()
                })),
            }
        }
        None
    });
    let begun = Instant::now();
    let (told, read) = tokio::join!(scene.send(1), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        scene.read().await
    });
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(26), "{:?}", begun.elapsed());
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert_eq!(scene.ask("SELECT count(*) FROM messages"), if silent == Silent::After { "2" } else { "1" });
    scene.proxy.delay(Duration::ZERO);
    scene.proxy.pass();
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    scene.sound().await;
}

/// A server that does nothing for long. Everything is answered in time, and afterwards all is well again.
async fn halted() {
    let scene = Scene::new().await;
    let flood = scene.flood(4);
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.cluster.pause().unwrap();
    let begun = Instant::now();
    assert!(scene.read().await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(13), "{:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(25).saturating_sub(begun.elapsed())).await;
    scene.cluster.resume().unwrap();
    scene.recovers(1, RECOVERED).await;
    scene.reads_recover(RECOVERED).await;
    let tally = flood.end().await;
    assert!(tally.unknown + tally.refused > 0, "{tally:?}");
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_cannot_be_found_out_is_unknown() {
    side_by_side!(
        out_of_reach(Cut::At(10), false),
        out_of_reach(Cut::Answer, true),
        black_hole(Silent::Before),
        black_hole(Silent::After),
        halted(),
    );
}
