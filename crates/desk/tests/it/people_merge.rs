//! Merging two contacts and taking them apart again: pointers only, so nothing is rewritten and nothing is lost.

use desk::contacts::separate;
use desk::identity::{Choices, MergeError, merge};
use model::ContactId;
use store::contact::Contact;
use testkit::desk::TestDesk;

async fn timeline(t: &TestDesk, contact: ContactId) -> Vec<String> {
    let workspace = t.workspace;
    t.read(move |tx| {
        let live = store::contact::get_live(tx, workspace, contact)?.id;
        let set = store::contact::merged_set(tx, workspace, live)?;
        let all = store::entry::timeline_before(tx, workspace, &set, (i64::MAX, i64::MAX), 1_000)?;
        Ok(all.into_iter().filter(|e| e.kind != model::EntryKind::Event).map(|e| e.body.text).collect())
    })
    .await
}

async fn live(t: &TestDesk, contact: ContactId) -> Contact {
    let workspace = t.workspace;
    t.read(move |tx| store::contact::get_live(tx, workspace, contact)).await
}

#[tokio::test]
async fn a_merge_joins_the_timelines_and_its_undo_parts_them_with_what_came_since() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "by mail").await;
    let phone = t.customer_writes("+15550142", "by phone").await;
    let preview = merge(&t.desk, &t.owner, ada.contact_id, phone.contact_id, Choices::default(), true).await.unwrap();
    assert_eq!((preview.merge_id, preview.conversations, preview.entries), (None, 1, 1));
    let done = merge(&t.desk, &t.owner, ada.contact_id, phone.contact_id, Choices::default(), false).await.unwrap();
    assert_eq!(timeline(&t, phone.contact_id).await, ["by mail", "by phone"]);
    assert_eq!(
        merge(&t.desk, &t.owner, phone.contact_id, ada.contact_id, Choices::default(), false).await,
        Err(MergeError::Same)
    );
    // Written after the merge from the phone: it belongs to the owner of the phone when they part.
    t.customer_writes("+15550142", "by phone, later").await;
    assert_eq!(timeline(&t, ada.contact_id).await.len(), 3);
    separate(&t.desk, &t.owner, done.merge_id.unwrap(), false, false).await.unwrap();
    assert_eq!(timeline(&t, ada.contact_id).await, ["by mail"]);
    assert_eq!(timeline(&t, phone.contact_id).await, ["by phone", "by phone, later"]);
    assert!(matches!(separate(&t.desk, &t.owner, done.merge_id.unwrap(), false, false).await, Err(MergeError::TooLate(_))));
    t.end().await;
}

#[tokio::test]
async fn chains_of_merges_come_apart_in_any_order() {
    let t = TestDesk::new().await;
    let mut people = Vec::new();
    for name in ["a", "b", "c", "d"] {
        people.push(t.customer_writes(&format!("{name}@example.com"), name).await.contact_id);
    }
    let [a, b, c, d] = people[..] else { unreachable!() };
    let ab = merge(&t.desk, &t.owner, a, b, Choices::default(), false).await.unwrap().merge_id.unwrap();
    let cd = merge(&t.desk, &t.owner, c, d, Choices::default(), false).await.unwrap().merge_id.unwrap();
    let ac = merge(&t.desk, &t.owner, a, c, Choices::default(), false).await.unwrap().merge_id.unwrap();
    assert_eq!(timeline(&t, d).await.len(), 4);
    // The inner merge first: c keeps d's pointer through a until a lets c go.
    separate(&t.desk, &t.owner, cd, false, false).await.unwrap();
    assert_eq!((live(&t, d).await.id, live(&t, c).await.id), (d, a));
    separate(&t.desk, &t.owner, ac, false, false).await.unwrap();
    assert_eq!((live(&t, c).await.id, live(&t, b).await.id), (c, a));
    separate(&t.desk, &t.owner, ab, false, false).await.unwrap();
    for person in people {
        assert_eq!((live(&t, person).await.id, timeline(&t, person).await.len()), (person, 1));
    }
    t.end().await;
}

#[tokio::test]
async fn fields_given_by_the_merge_go_back_and_edits_since_stay() {
    let t = TestDesk::new().await;
    let a = t.customer_writes("a@example.com", "a").await.contact_id;
    let b = t.customer_writes("b@example.com", "b").await.contact_id;
    let name = |n: &str| desk::identity::ContactPatch { name: Some(Some(n.to_owned())), ..Default::default() };
    desk::identity::change_contact(&t.desk, &t.owner, b, name("Ben")).await.unwrap();
    let id = merge(&t.desk, &t.owner, a, b, Choices::default(), false).await.unwrap().merge_id.unwrap();
    assert_eq!(live(&t, a).await.name.as_deref(), Some("Ben"));
    separate(&t.desk, &t.owner, id, false, false).await.unwrap();
    assert_eq!((live(&t, a).await.name, live(&t, b).await.name.as_deref()), (None, Some("Ben")));
    let again = merge(&t.desk, &t.owner, a, b, Choices::default(), false).await.unwrap().merge_id.unwrap();
    desk::identity::change_contact(&t.desk, &t.owner, a, name("Ada Novak")).await.unwrap();
    separate(&t.desk, &t.owner, again, false, false).await.unwrap();
    assert_eq!(live(&t, a).await.name.as_deref(), Some("Ada Novak"));
    t.end().await;
}
