//! Jobs that only one node may do at a time.

use std::time::{Duration, Instant};

use antiphon_store::*;
use tokio::time::{sleep, timeout};

use crate::kit::*;

/// Asks until it is given.
async fn claimed(store: &Store) -> Lease {
    let begun = Instant::now();
    loop {
        if let Ok(Some(lease)) = store.lease("purge").await {
            return lease;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it was never given");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_at_a_time_holds_a_lease_and_it_lasts() {
    let bed = Bed::new().await;
    let (one, two) = (bed.node(), bed.node());
    let lease = claimed(&one).await;
    assert!(one.lease("purge").await.unwrap().is_none());
    let other = claimed_other(&two).await;
    // Twice as long as it runs when nobody renews it.
    for _ in 0..30 {
        assert!(two.lease("purge").await.unwrap().is_none());
        assert!(lease.held() && other.held());
        sleep(Duration::from_millis(100)).await;
    }
    lease.release().await;
    let lease = two.lease("purge").await.unwrap().unwrap();
    assert!(one.lease("purge").await.unwrap().is_none());
    // Dropping it is enough, and so is closing the store.
    drop(lease);
    let begun = Instant::now();
    let lease = claimed(&one).await;
    assert!(begun.elapsed() < Duration::from_millis(500));
    let lost = async { timeout(Duration::from_secs(1), lease.lost()).await.unwrap() };
    tokio::join!(lost, one.close());
    assert!(!lease.held());
    let begun = Instant::now();
    let last = claimed(&two).await;
    assert!(begun.elapsed() < Duration::from_millis(500) && last.held());
    two.close().await;
}

async fn claimed_other(store: &Store) -> Lease {
    store.lease("letters").await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_is_cut_off_stops_believing_before_another_begins() {
    let bed = Bed::new().await;
    let near = bed.node();
    let proxy = antiphon_cluster::shared().unwrap().proxy().unwrap();
    let far = Store::open(settings(proxy.url(&bed.database))).unwrap();
    for _ in 0..3 {
        let lease = claimed(&far).await;
        sleep(Duration::from_millis(700)).await;
        assert!(lease.held());
        let begun = Instant::now();
        proxy.hold();
        let (lost, taken) = tokio::join!(
            async {
                lease.lost().await;
                assert!(!lease.held());
                Instant::now()
            },
            async { (claimed(&near).await, Instant::now()) }
        );
        println!("given up after {:?}, taken after {:?}", lost - begun, taken.1 - begun);
        assert!(lost < taken.1, "two believed in it for {:?}", lost - taken.1);
        assert!(taken.1 - begun < TAKEN_OVER);
        taken.0.release().await;
        proxy.cut();
        proxy.pass();
        assert!(!lease.held());
    }
    far.close().await;
    near.close().await;
}
