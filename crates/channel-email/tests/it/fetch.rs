//! Reading a mailbox: what comes in, in what order, exactly once, whatever happens to the line.

use crate::support::*;
use channel::{FOLDER, FOLDER_ROLE, SourceNews};

#[tokio::test]
async fn new_mail_comes_in_by_idle_and_mail_from_before_stays_out() {
    let bed = bed();
    bed.deliver("alice@cust.test", "support@shop.test", &mail("alice@cust.test", "before", "old")).unwrap();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings("support@shop.test")), Store::default());
    let sender = async {
        store.until_alive(1).await;
        bed.send("alice@cust.test", "support@shop.test", &mail("Alice <Alice@cust.test>", "after", "new")).unwrap();
        store.until("the mail", |store| store.events().len() == 1).await;
    };
    tokio::select! {
        ended = channel::Pull::pull(&wire, &inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = sender => {}
    }
    let events = store.events();
    assert_eq!(store.subjects(), ["after"]);
    assert_eq!(events[0].lane, "alice@cust.test");
    assert_eq!((events[0].header(FOLDER), events[0].header(FOLDER_ROLE)), (Some("INBOX"), Some("inbox")));
    assert_eq!(store.news()[0], SourceNews::Alive { push: true });
}
