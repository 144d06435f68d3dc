//! Mail out over real Postfix and Dovecot: an answer reaches the customer and theirs comes back by its token alone, a bounce of
//! the server ends at its entry, and two of us that answer by themselves stop.
#![allow(clippy::disallowed_methods, reason = "real mail servers live in real time")]

use crate::mailboxes::{Office, bed, mail};
use model::InboxId;
use serde_json::{Value as Json, json};
use testkit::mailbed::{BedOptions, MailBed};

const SHOP: &str = "support@shop.test";
const ALICE: &str = "alice@cust.test";

fn settings(bed: &MailBed, address: &str) -> Json {
    let mut settings = bed.settings(address);
    settings["plus_addressing"] = json!(true);
    settings["display_name"] = json!("The Shop");
    settings
}

async fn opened(bed: &MailBed, address: &str) -> (Office, InboxId) {
    let office = Office::new().await;
    let inbox = office.connect(settings(bed, address)).await;
    office.fetch();
    office.enable(inbox).await;
    office.connected(inbox).await;
    (office, inbox)
}

/// A header of the newest mail of a folder, as Dovecot reads it.
fn header(bed: &MailBed, account: &str, name: &str) -> String {
    let found = bed.doveadm(&["fetch", "-u", account, &format!("hdr.{name}"), "mailbox", "INBOX"]).unwrap();
    let mut all: Vec<String> = Vec::new();
    for line in found.lines() {
        match line.split_once(": ") {
            Some((key, value)) if key.eq_ignore_ascii_case(&format!("hdr.{name}")) => all.push(value.trim().to_owned()),
            _ if line.starts_with([' ', '\t']) => {
                if let Some(last) = all.last_mut() {
                    *last = format!("{last} {}", line.trim());
                }
            }
            _ => {}
        }
    }
    all.pop().unwrap_or_default()
}

async fn conversations(office: &Office) -> Vec<Json> {
    office.client.get("/api/v1/conversations?q=&limit=50").await.ok()["items"].as_array().cloned().unwrap_or_default()
}

async fn texts(office: &Office, id: &str) -> Vec<String> {
    let page = office.client.get(&format!("/api/v1/conversations/{id}/timeline")).await.ok();
    let entries = page["entries"].as_array().unwrap();
    let messages = entries.iter().filter(|e| e["kind"] == "message");
    messages.map(|e| format!("{}: {}", e["direction"].as_str().unwrap(), e["body"]["text"].as_str().unwrap().trim())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_goes_out_and_its_answer_comes_back_by_the_reply_address_alone() {
    let Some(bed) = bed(&BedOptions::default()) else { return };
    let (office, inbox) = opened(&bed, SHOP).await;
    bed.send(ALICE, SHOP, &mail("Alice <alice@cust.test>", SHOP, "q1", "", "Where is my order?")).unwrap();
    office.until("the question", async || office.read(inbox).await >= 1).await;
    let id = conversations(&office).await[0]["id"].as_str().unwrap().to_owned();
    let plan = office.client.post(&format!("/api/v1/conversations/{id}/mail_plan"), json!({})).await.ok();
    assert_eq!((&plan["to"][0]["address"], &plan["subject"]), (&json!(ALICE), &json!("Re: About q1")));
    let body = json!({"kind": "message", "text": "Größe 42 ist unterwegs.", "base_seq": 1_000, "hold_seconds": 0});
    let path = format!("/api/v1/conversations/{id}/entries");
    let sent = office.app.owner_client().await.with("idempotency-key", "one").post(&path, body).await.ok();
    office.until("the answer in Alice's mailbox", async || bed.count(ALICE, "INBOX").unwrap() == 1).await;
    office
        .until("its state", async || {
            let page = office.client.get(&format!("/api/v1/conversations/{id}/timeline")).await.ok();
            page["entries"].as_array().unwrap().iter().any(|e| e["id"] == sent["id"] && e["status"]["code"] == "accepted")
        })
        .await;
    assert_eq!(header(&bed, ALICE, "in-reply-to"), "<q1@cust.test>");
    let (references, own) = (header(&bed, ALICE, "references"), header(&bed, ALICE, "message-id"));
    assert_eq!(references, format!("<q1@cust.test> {own}"));
    assert_eq!(bed.count(SHOP, "Sent").unwrap(), 1, "a copy lies in Sent");

    // Alice's program forgets every id: only the address is left.
    let reply_to = header(&bed, ALICE, "reply-to");
    let address = reply_to.rsplit('<').next().unwrap().trim_end_matches('>').to_owned();
    assert!(address.starts_with("support+c"), "{reply_to}");
    bed.send(ALICE, &address, &mail("Alice <alice@cust.test>", &address, "q2", "", "Thank you. And the bill, where is it?"))
        .unwrap();
    office.until("the second question", async || texts(&office, &id).await.len() == 3).await;
    let all = texts(&office, &id).await;
    // Its own clock says when it was written, so it may stand anywhere.
    assert!(all.iter().any(|text| text.starts_with("in: Thank you. And the bill")), "{all:?}");
    assert_eq!(conversations(&office).await.len(), 1);
    office.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_of_the_server_ends_at_its_entry_and_at_the_address() {
    let Some(bed) = bed(&BedOptions::default()) else { return };
    let (office, inbox) = opened(&bed, SHOP).await;
    let nobody = "nobody-here@cust.test";
    let body = json!({"to": [{"address": nobody}], "subject": "Your order", "text": "It is ready.", "hold_seconds": 0});
    let begun = office.app.owner_client().await.with("idempotency-key", "one").post("/api/v1/compose", body).await.ok();
    let (entry, id) = (begun["items"][0]["id"].clone(), begun["items"][0]["conversation_id"].as_str().unwrap().to_owned());
    let state = async || {
        let page = office.client.get(&format!("/api/v1/conversations/{id}/timeline")).await.ok();
        let found = page["entries"].as_array().unwrap().iter().find(|e| e["id"] == entry).cloned().unwrap();
        found["status"].clone()
    };
    office.until("the bounce", async || state().await["code"] == "failed").await;
    let failed = state().await;
    assert!(failed["reason"].as_str().is_some_and(|r| r.contains(nobody)), "{failed}");
    assert_eq!(conversations(&office).await.len(), 1, "no conversation with a machine");
    let ways = office.client.get(&format!("/api/v1/conversations/{id}/reply-options")).await.ok();
    let way = ways["items"].as_array().unwrap().iter().find(|w| w["inbox_id"] == inbox.to_string()).unwrap().clone();
    assert_eq!((&way["state"], &way["reason"]), (&json!("blocked"), &json!("bounced")), "{way}");
    office.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_auto_responders_on_real_servers_stop() {
    let Some(bed) = bed(&BedOptions::default()) else { return };
    let (shop, shop_inbox) = opened(&bed, SHOP).await;
    let (other, other_inbox) = opened(&bed, ALICE).await;
    for (office, inbox) in [(&shop, shop_inbox), (&other, other_inbox)] {
        for kind in ["acknowledge", "off_hours"] {
            let answer = json!({"enabled": true, "text": "We have it: {{conversation.number}}"});
            office.client.put(&format!("/api/v1/inboxes/{inbox}/automatic_answers/{kind}"), answer).await.ok();
        }
    }
    let body = json!({"to": [{"address": SHOP}], "subject": "A question", "text": "Are you there?", "hold_seconds": 0});
    other.app.owner_client().await.with("idempotency-key", "one").post("/api/v1/compose", body).await.ok();
    let both = async |what: &str, good: &mut dyn FnMut() -> bool| {
        for _ in 0..600 {
            shop.app.run_jobs().await;
            other.app.run_jobs().await;
            if good() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{what} did not come about: {}", bed.logs());
    };
    both("the automatic answer", &mut || bed.count(ALICE, "INBOX").unwrap() >= 1).await;
    assert_eq!(header(&bed, ALICE, "auto-submitted"), "auto-replied");
    // Now the worst: a machine at the other side that marks nothing and answers every mail, ten times.
    for n in 0..10 {
        bed.send(ALICE, SHOP, &mail("Alice <alice@cust.test>", SHOP, &format!("loop{n}"), "", "I am away")).unwrap();
    }
    both("all of them", &mut || bed.count(SHOP, "INBOX").unwrap() >= 11).await;
    shop.until("their reading", async || shop.read(shop_inbox).await >= 11).await;
    other.until("the reading of the answer", async || other.read(other_inbox).await >= 1).await;
    // Whatever was still to be sent has gone by now: the jobs are done and Postfix hands over at once.
    for _ in 0..20 {
        shop.app.run_jobs().await;
        other.app.run_jobs().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (by_shop, by_other) = (bed.count(ALICE, "INBOX").unwrap(), bed.count(SHOP, "INBOX").unwrap() - 11);
    println!("automatic mails: the shop {by_shop}, the other side {by_other}");
    assert!(by_shop <= 2 && by_other <= 2, "{by_shop} and {by_other}");
    shop.end().await;
    other.end().await;
}
