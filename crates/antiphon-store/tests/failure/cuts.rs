//! The line to the database is cut in the middle of commits.

use std::time::{Duration, Instant};

use antiphon_cluster::{Cut, Way};
use tokio::time::sleep;

use crate::kit::*;

/// Whether these bytes commit changes.
pub fn commits(way: Way, bytes: &[u8]) -> bool {
    let commit = b"COMMIT /* changes */";
    way == Way::ToServer && bytes.windows(commit.len()).any(|words| words == commit)
}

/// Somewhere in a batch, somewhere in its answers, or anywhere at all.
fn somehow() -> impl FnMut(Way, &[u8]) -> Option<Cut> + Send {
    let kind = fastrand::usize(..6);
    let (mut committing, mut passing) = (false, fastrand::usize(..40));
    move |way, bytes| {
        let anywhere = Cut::At(fastrand::usize(..=bytes.len()));
        let commits = commits(way, bytes);
        match kind {
            0 => commits.then_some(anywhere),
            1 => commits.then_some(Cut::At(bytes.len())),
            2 => commits.then_some(Cut::After),
            3 => commits.then_some(Cut::Answer),
            4 => {
                let answer = committing && way == Way::ToClient;
                committing |= commits;
                answer.then_some(anywhere)
            }
            _ => {
                passing = passing.saturating_sub(1);
                (passing == 0).then_some(anywhere)
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_cuts_lose_and_double_nothing() {
    let scene = Scene::new().await;
    let flood = scene.flood(4);
    for round in 0..300 {
        let (cuts, begun) = (scene.proxy.cuts(), Instant::now());
        scene.proxy.cut_when(somehow());
        while scene.proxy.cuts() == cuts {
            assert!(begun.elapsed() < RECOVERED, "nothing goes over the line after {round} cuts");
            sleep(Duration::from_millis(1)).await;
        }
        sleep(Duration::from_millis(fastrand::u64(..15))).await;
    }
    let tally = flood.end().await;
    // The database can be asked each time, so nobody is left in doubt or sent away.
    assert_eq!((tally.refused, tally.unknown), (0, 0));
    assert!(tally.acknowledged > 300 && tally.slowest < RECOVERED, "{tally:?}");
    scene.sound().await;
}

/// The connection is gone and the server still at work: on the messages, with all that follows in its hands already, or on
/// the commit. It must be ended before anybody believes what is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_still_under_way_is_not_written_twice() {
    for when in ["NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"] {
        let scene = Scene::new().await;
        let slow = format!(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON messages {when} \
             FOR EACH ROW EXECUTE FUNCTION slow()"
        );
        scene.database.rows(&slow).unwrap();
        for thread in 1..=5 {
            scene.proxy.cut_when(|way, bytes| commits(way, bytes).then_some(Cut::After));
            scene.send(thread).await.unwrap();
        }
        assert_eq!(scene.proxy.cuts(), 5);
        // Whatever was still under way then is done by now.
        sleep(Duration::from_millis(500)).await;
        scene.sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_is_silent_for_a_moment_costs_nobody_anything() {
    let scene = Scene::new().await;
    let flood = scene.flood(4);
    for _ in 0..10 {
        sleep(Duration::from_millis(fastrand::u64(50..100))).await;
        scene.proxy.hold();
        sleep(Duration::from_millis(fastrand::u64(50..600))).await;
        scene.proxy.pass();
    }
    let tally = flood.end().await;
    assert_eq!((tally.refused, tally.unknown), (0, 0));
    scene.sound().await;
}

/// What was sent before is lost, and the server is not told that the line was cut: it is halted meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_halts_while_lines_are_cut_doubles_nothing() {
    let scene = Scene::new().await;
    let flood = scene.flood(4);
    for _ in 0..10 {
        sleep(Duration::from_millis(fastrand::u64(50..150))).await;
        scene.cluster.pause().unwrap();
        scene.proxy.cut();
        sleep(Duration::from_millis(fastrand::u64(50..600))).await;
        scene.cluster.resume().unwrap();
    }
    let tally = flood.end().await;
    assert_eq!((tally.refused, tally.unknown), (0, 0));
    scene.sound().await;
}
