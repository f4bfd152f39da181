use crate::kit::*;

#[tokio::test]
async fn a_message_is_read_back() {
    let kit = Kit::new().await;
    let thread = kit.thread(7).await;
    for n in 0..10 {
        kit.say(thread.id, &format!("message {n}")).await;
    }
    let texts: Vec<String> = (0..10).map(|n| format!("message {n}")).collect();
    assert_eq!(kit.texts(thread.id, true, 3).await, texts);
    let kit = kit.reopen().await;
    assert_eq!(kit.texts(thread.id, true, 5).await, texts);
    assert_eq!(kit.read(thread.id).await.entries, 10);
}
