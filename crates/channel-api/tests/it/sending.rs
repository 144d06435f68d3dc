//! What goes over the wire, and where it may go.

use crate::server::{Meet, Server};
use crate::{NOW, channel, inbox, outbound, secret};
use channel::{
    BlockReason, Channel, CheckState, DeliveryState, FailureClass, FetchError, MediaRef, OutboundFile, SendError, Signal,
};
use channel_api::sign;
use serde_json::json;

fn settings(server: &Server) -> serde_json::Value {
    json!({"webhook_url": server.url(), "allow_private_networks": true})
}

async fn send(server: &Server, text: &str) -> Result<channel::Accepted, SendError> {
    let (api, own) = (channel(), inbox(settings(server)));
    let (entry, context) = outbound(&own, text);
    let request = api.render(&entry, &context).expect("it is rendered").remove(0);
    api.submit(&own, &request).await
}

#[tokio::test]
async fn a_webhook_says_everything_and_is_signed_with_both_secrets() {
    let server = Server::start();
    let accepted = send(&server, "Hello Ada").await.unwrap();
    assert_eq!(accepted.provider_id.as_deref(), Some("theirs-0"));
    let got = server.got().remove(0);
    assert_eq!((got.path.as_str(), got.header("content-type")), ("/hooks", Some("application/json")));
    assert_eq!(got.header(sign::ID_HEADER), Some("out_1"));
    let signatures: Vec<&str> = got.header(sign::SIGNATURE_HEADER).unwrap().split(' ').collect();
    let at = got.header(sign::TIMESTAMP_HEADER);
    assert_eq!(signatures.len(), 2, "while a rotation lasts");
    for (secret, signature) in [(secret(), signatures[0]), (sign::secret_of([3; 24]), signatures[1])] {
        assert_eq!(sign::check(&[&secret], Some("out_1"), at, Some(signature), &got.body, NOW), Ok(()));
    }
    assert_eq!(
        got.json(),
        json!({
            "type": "message.created", "timestamp": "2026-11-23T09:15:00.123Z",
            "data": {
                "inbox_id": "ibx_0000000000007", "conversation_id": "cnv_0000000000001", "entry_id": "ent_0cn99439p060h",
                "to": {"kind": "ext", "scope": "ibx_0000000000007", "value": "ada", "name": "Ada"},
                "external_conversation": "ada", "author": "agent", "author_name": "Lea", "subject": null,
                "text": "Hello Ada", "html": null, "files": [], "reply_to": [], "template": null,
            },
        })
    );
}

#[tokio::test]
async fn each_answer_decides_what_happens_next() {
    let server = Server::start();
    let refused = |class, code: &str, text: &str| Err(SendError::Refused { class, code: code.to_owned(), text: text.to_owned() });
    let taken = |id: &str, state| Ok(channel::Accepted { provider_id: Some(id.to_owned()), state, cost: None });
    let cases = [
        (Meet::Answer(204, "", String::new()), taken("out_1", DeliveryState::Accepted)),
        (Meet::Answer(202, "", "thanks".into()), taken("out_1", DeliveryState::Accepted)),
        (Meet::Answer(200, "", r#"{"message_id": "m9", "state": "delivered"}"#.into()), taken("m9", DeliveryState::Delivered)),
        (Meet::Answer(200, "", r#"{"message_id": "m9", "state": "read"}"#.into()), taken("m9", DeliveryState::Accepted)),
        (Meet::Answer(200, "", r#"{"message_id": "m9", "state": "failed"}"#.into()), taken("m9", DeliveryState::Accepted)),
        (Meet::HalfAnswer, taken("out_1", DeliveryState::Accepted)),
        (
            Meet::Answer(500, "retry-after: Mon, 23 Nov 2026 09:15:30 GMT\r\n", String::new()),
            Err(SendError::RetryAt(NOW.plus_seconds(30))),
        ),
        (Meet::Answer(503, "retry-after: 7\r\n", String::new()), Err(SendError::RetryAt(NOW.plus_seconds(7)))),
        (Meet::Answer(429, "retry-after: soon\r\n", String::new()), Err(SendError::RetryAt(NOW.plus_seconds(5)))),
        (Meet::Answer(403, "", String::new()), Err(SendError::SignInAgain)),
        (Meet::Answer(404, "", String::new()), refused(FailureClass::Permanent, "404", "The other system answered 404.")),
        (
            Meet::Answer(422, "", r#"{"error": {"class": "address", "code": "gone", "text": "This customer has left."}}"#.into()),
            refused(FailureClass::Address, "gone", "This customer has left."),
        ),
        (
            Meet::Answer(302, "location: http://127.0.0.1:1/\r\n", String::new()),
            refused(
                FailureClass::Permanent,
                "302",
                "The webhook address answers with a redirect, which is not followed. Set the address that it leads to.",
            ),
        ),
        (Meet::HangUp, Err(SendError::Uncertain)),
    ];
    for (meet, expected) in cases {
        let seen = format!("{meet:?}");
        server.meet(meet);
        assert_eq!(send(&server, "x").await, expected, "{seen}");
    }
}

#[tokio::test]
async fn nobody_at_home_was_given_nothing() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (api, own) = (channel(), inbox(json!({"webhook_url": format!("http://{gone}/"), "allow_private_networks": true})));
    let (entry, context) = outbound(&own, "x");
    let request = api.render(&entry, &context).unwrap().remove(0);
    assert_eq!(api.submit(&own, &request).await, Err(SendError::RetryAt(NOW.plus_seconds(5))));
}

#[tokio::test]
async fn without_the_admins_word_nothing_goes_into_our_own_network() {
    let server = Server::start();
    let api = channel();
    // As a literal, and as a name that leads there; the settings would refuse the first, so they are set past the check.
    for url in [format!("https://{}/hooks", server.address), format!("https://localhost:{}/hooks", server.address.port())] {
        let own = inbox(json!({"webhook_url": url}));
        let (entry, context) = outbound(&own, "x");
        let request = api.render(&entry, &context).unwrap().remove(0);
        match api.submit(&own, &request).await {
            Err(SendError::Refused { class: FailureClass::Permanent, code, text }) => {
                assert_eq!(code, "address", "{text}");
                assert!(text.contains("private network"), "{text}");
            }
            other => panic!("{url}: {other:?}"),
        }
        let media = MediaRef { reference: url.clone(), ..MediaRef::default() };
        assert_eq!(api.media().unwrap().fetch(&own, &media).await, Err(FetchError::Gone), "{url}");
    }
    assert!(server.got().is_empty());
}

#[tokio::test]
async fn a_name_inside_works_once_it_is_allowed() {
    let server = Server::start();
    let url = format!("http://localhost:{}/hooks", server.address.port());
    let (api, own) = (channel(), inbox(json!({"webhook_url": url, "allow_private_networks": true})));
    let (entry, context) = outbound(&own, "x");
    let request = api.render(&entry, &context).unwrap().remove(0);
    assert!(api.submit(&own, &request).await.is_ok());
}

#[tokio::test]
async fn files_go_as_paths_and_are_limited() {
    let server = Server::start();
    let own = inbox(settings(&server));
    let (mut entry, context) = outbound(&own, "see");
    let file =
        OutboundFile { id: model::AttachmentId(5), name: "a.pdf".into(), mime: "application/pdf".into(), bytes: 9, url: None };
    entry.files = vec![file];
    let request = channel().render(&entry, &context).unwrap().remove(0);
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["data"]["files"][0]["path"], "/api/v1/channel/ibx_0000000000007/files/att_0000000000005");
    let none = inbox(json!({"webhook_url": server.url(), "files": {"enabled": false}}));
    let (mut entry, context) = (entry, outbound(&none, "").1);
    assert_eq!(channel().render(&entry, &context).unwrap_err().reason, BlockReason::AttachmentType);
    entry.files.clear();
    entry.to.scope = "ibx_other".into();
    assert_eq!(channel().render(&entry, &context).unwrap_err().reason, BlockReason::NoContactPoint);
    let silent = outbound(&inbox(json!({})), "x");
    assert_eq!(channel().render(&silent.0, &silent.1).unwrap_err().reason, BlockReason::ChannelDown);
}

#[tokio::test]
async fn a_check_fires_a_test_and_says_what_is_wrong() {
    let server = Server::start();
    let (api, own) = (channel(), inbox(settings(&server)));
    let states = |found: Vec<channel::CheckResult>| found.into_iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(states(api.check(&own).await), [CheckState::Ok, CheckState::Ok]);
    assert_eq!(server.got()[0].json()["type"], "test");
    for meet in [Meet::Answer(401, "", String::new()), Meet::Answer(500, "", String::new()), Meet::Answer(404, "", String::new())]
    {
        server.meet(meet);
        assert_eq!(states(api.check(&own).await), [CheckState::Ok, CheckState::Failed]);
    }
    server.meet(Meet::HangUp);
    assert_eq!(states(api.check(&own).await), [CheckState::Ok, CheckState::Warn]);
    assert_eq!(states(api.check(&inbox(json!({}))).await), [CheckState::Ok, CheckState::Warn]);
}

#[tokio::test]
async fn signals_are_told_once() {
    let server = Server::start();
    let (api, own) = (channel(), inbox(settings(&server)));
    let typing = Signal::Typing { external_conversation: "ada".into(), on: true };
    api.signals().unwrap().signal(&own, &typing).await.unwrap();
    assert_eq!(server.got()[0].json()["type"], "typing.changed");
    assert_eq!(server.got()[0].json()["data"], json!({"external_conversation": "ada", "on": true}));
}
