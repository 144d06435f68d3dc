//! DKIM, for inboxes that send directly. With a submission server in between, that server signs.

use channel::InboxSettings;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, SigningKey};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, NeedDomain};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What is signed. References and the rest may be changed by relays that mean no harm.
const SIGNED: [&str; 11] = [
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "MIME-Version",
    "Content-Type",
    "List-Unsubscribe",
];

/// The key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the DKIM key of this inbox cannot be used: {0}")]
pub struct DkimError(String);

/// The finished field with its line end; `None` when this inbox does not sign.
pub fn signature(inbox: &InboxSettings, message: &[u8]) -> Result<Option<String>, DkimError> {
    let text = |name: &str| inbox.settings.get(name).and_then(|v| v.as_str()).filter(|v| !v.is_empty());
    let (Some(domain), Some(selector), Some(key)) = (text("dkim_domain"), text("dkim_selector"), inbox.secrets.get("dkim_key"))
    else {
        return Ok(None);
    };
    let broken = |error: mail_auth::Error| DkimError(error.to_string());
    let der = der_of(key.expose()).ok_or_else(|| DkimError("it is no PEM text".to_owned()))?;
    match RsaKey::from_key_der(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_slice()))) {
        Ok(rsa) => sign(DkimSigner::from_key(rsa), domain, selector, message).map(Some),
        Err(_) => {
            let ed = Ed25519Key::from_pkcs8_maybe_unchecked_der(&der).map_err(broken)?;
            sign(DkimSigner::from_key(ed), domain, selector, message).map(Some)
        }
    }
}

fn sign<T: SigningKey>(
    signer: DkimSigner<T, NeedDomain>,
    domain: &str,
    selector: &str,
    message: &[u8],
) -> Result<String, DkimError> {
    let signer = signer.domain(domain).selector(selector).headers(SIGNED);
    signer.sign(message).map(|signature| signature.to_header()).map_err(|error| DkimError(error.to_string()))
}

fn der_of(pem: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let inside: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    base64::engine::general_purpose::STANDARD.decode(inside).ok()
}
