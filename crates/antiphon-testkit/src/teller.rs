//! The part of a server that tells apps, begun and ended by the test.

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::TestServer;

/// Somebody who delivers a server's webhooks. Dropped, it ends in the middle of whatever it does, as in a crash.
pub struct Teller {
    server: TestServer,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Teller {
    /// Begins to deliver.
    pub fn start(server: &TestServer) -> Self {
        let (stop, told) = watch::channel(false);
        let running = tokio::spawn(antiphon::webhooks::deliver::run(server.app().clone(), told));
        Self { server: server.clone(), stop, running }
    }

    /// Has it look at once what is due by now.
    pub fn wake(&self) {
        self.server.app().webhooks.wake();
    }

    /// Ends it gently.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        (&mut self.running).await.unwrap_or_else(|e| panic!("it did not end well: {e}"));
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.running.abort();
    }
}
