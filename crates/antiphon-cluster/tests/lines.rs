//! What a client sees when its line to the database is cut, held or slow.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_cluster::{Cluster, Cut, Database, Options, Proxy, Way, shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A database with an empty table of words, and a line to it.
fn line() -> (Database, Proxy) {
    let cluster = shared().unwrap();
    let database = cluster.database().unwrap();
    database.rows("CREATE TABLE words (word text)").unwrap();
    (database, cluster.proxy().unwrap())
}

fn words(database: &Database) -> usize {
    database.rows("SELECT word FROM words").unwrap().len()
}

/// Writes a word in a transaction whose commit is cut somehow.
async fn cut_at_commit(database: &Database, proxy: &Proxy, cut: Cut) {
    let client = connect(&proxy.url(database)).await.unwrap();
    client.simple_query("BEGIN; INSERT INTO words VALUES ('hello')").await.unwrap();
    let before = proxy.cuts();
    let commit = |bytes: &[u8]| bytes.windows(6).any(|word| word == b"COMMIT");
    proxy.cut_when(move |way, bytes| (way == Way::ToServer && commit(bytes)).then_some(cut));
    assert!(client.simple_query("COMMIT").await.is_err());
    assert_eq!(proxy.cuts(), before + 1);
    assert!(connect(&proxy.url(database)).await.is_ok(), "it cuts once");
}

#[tokio::test]
async fn a_commit_that_never_arrives_is_not_done() {
    let (database, proxy) = line();
    cut_at_commit(&database, &proxy, Cut::At(0)).await;
    // Its message is a letter, four bytes of length, the word and a zero.
    cut_at_commit(&database, &proxy, Cut::At(11)).await;
    assert_eq!(words(&database), 0);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_done() {
    let (database, proxy) = line();
    cut_at_commit(&database, &proxy, Cut::Answer).await;
    assert_eq!(words(&database), 1);
}

#[tokio::test]
async fn a_client_may_be_back_before_its_commit_is_done() {
    let (database, proxy) = line();
    cut_at_commit(&database, &proxy, Cut::After).await;
    let began = Instant::now();
    while words(&database) == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "the commit was lost");
    }
}

#[tokio::test]
async fn all_connections_are_cut_at_once() {
    let (database, proxy) = line();
    let clients =
        [connect(&proxy.url(&database)).await.unwrap(), connect(&proxy.url(&database)).await.unwrap()];
    proxy.cut();
    for client in clients {
        assert!(client.simple_query("SELECT 1").await.is_err());
    }
    assert!(connect(&proxy.url(&database)).await.is_ok());
    proxy.refuse();
    assert!(connect(&proxy.url(&database)).await.is_err());
    proxy.pass();
    assert!(connect(&proxy.url(&database)).await.is_ok());
}

#[tokio::test]
async fn a_held_line_is_silent_and_loses_nothing() {
    let (database, proxy) = line();
    let client = connect(&proxy.url(&database)).await.unwrap();
    proxy.hold();
    let insert = client.simple_query("INSERT INTO words VALUES ('hello')");
    tokio::pin!(insert);
    assert!(timeout(Duration::from_millis(200), &mut insert).await.is_err());
    let url = proxy.url(&database);
    let another = connect(&url);
    tokio::pin!(another);
    assert!(timeout(Duration::from_millis(200), &mut another).await.is_err());
    assert_eq!(words(&database), 0);
    proxy.pass();
    insert.await.unwrap();
    another.await.unwrap();
    assert_eq!(words(&database), 1);
}

#[tokio::test]
async fn a_long_line_takes_time_for_each_answer_and_not_for_each_word() {
    let (database, proxy) = line();
    let client = connect(&proxy.url(&database)).await.unwrap();
    proxy.delay(Duration::from_millis(50));
    let began = Instant::now();
    let (one, two, three) = tokio::join!(
        client.simple_query("SELECT 1"),
        client.simple_query("SELECT 2"),
        client.simple_query("SELECT 3")
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
    client.simple_query("SELECT 4").await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_tls() {
    let (pem, key) = antiphon_cluster::certificate().unwrap();
    let cluster = Cluster::start(Options::default().tls(pem.as_str(), key)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();

    let mut stream = TcpStream::connect(("127.0.0.1", cluster.port())).await.unwrap();
    // The request to speak TLS: eight bytes, version 1234.5679.
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let name = "127.0.0.1".try_into().unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
}
