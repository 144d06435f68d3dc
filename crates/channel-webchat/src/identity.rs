//! Who a visitor is: tokens of our own that prove "the same browser", and proofs of the site that say "this is our
//! customer". Pure: keys, secrets and the time are passed in. Nothing of an untrusted token decides how it is checked.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use channel::SecretText;
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::{InboxId, Random, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

/// A signed token may be valid for at most this long.
pub const LIFE_MAX_MS: i64 = 24 * 3_600_000;
/// How far the site's clock may differ from ours.
pub const LEEWAY_MS: i64 = 60_000;
/// Longest id of a customer, in characters.
pub const SUB_CHARS_MAX: usize = 255;
/// How long the keyed hash of an id counts after it was shown to us: it never expires by itself, so the page shows it
/// again at every visit.
pub const HASH_LIFE_MS: i64 = LIFE_MAX_MS;

/// How signed tokens of a site are signed. Pinned in the settings, never taken from the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum JwtAlgorithm {
    /// Shared secret.
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
    /// Ed25519 key pair: the site keeps the private key.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Secrets of one inbox: the one in use, and after a rotation the one before it for a day.
#[derive(Clone, Debug, Default)]
pub struct IdentitySecrets {
    /// In use.
    pub current: Option<SecretText>,
    /// Still accepted.
    pub previous: Option<SecretText>,
}

impl IdentitySecrets {
    fn each(&self) -> impl Iterator<Item = &SecretText> {
        // An empty secret would make every token of a stranger valid.
        self.current.iter().chain(&self.previous).filter(|secret| secret.expose().len() >= 16)
    }
}

/// A known customer, as the site proved it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedIdentity {
    /// 3 by signed token, 2 by keyed hash.
    pub level: u8,
    /// The site's id of the customer.
    pub id: String,
    /// Name, as signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address, as signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The site says that the customer controls the address.
    #[serde(default)]
    pub email_verified: bool,
    /// The token's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Until when it counts.
    pub until: Timestamp,
}

/// Why a proof of identity does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It was good once: the page must make a new one.
    #[error("the token has expired")]
    Expired,
    /// Not signed by this site's key with the pinned algorithm, or no token at all.
    #[error("the token is not signed with this site's key and algorithm")]
    Forged,
    /// Well signed, but says something we do not accept. The text is for the site's developer.
    #[error("{0}")]
    BadClaims(String),
    /// The site has no key or secret set.
    #[error("this site has no key for signed identities")]
    NotSet,
}

/// Checks a signed token. `alg` is the pinned algorithm; for EdDSA the public key comes from the settings and the
/// secrets are not looked at, so that a public key can never serve as an HMAC secret.
pub fn verify_jwt(
    token: &str,
    alg: JwtAlgorithm,
    public_key: Option<&str>,
    secrets: &IdentitySecrets,
    now: Timestamp,
) -> Result<VerifiedIdentity, IdentityError> {
    if token.len() > 8_192 {
        return Err(IdentityError::Forged);
    }
    let (algorithm, keys) = match alg {
        JwtAlgorithm::Hs256 => {
            (Algorithm::HS256, secrets.each().map(|secret| DecodingKey::from_secret(secret.expose().as_bytes())).collect())
        }
        JwtAlgorithm::EdDsa => (
            Algorithm::EdDSA,
            public_key.and_then(parse_public_key).map(|key| DecodingKey::from_ed_der(&key)).into_iter().collect::<Vec<_>>(),
        ),
    };
    if keys.is_empty() {
        return Err(IdentityError::NotSet);
    }
    // The library would read the wall clock for exp; we look at it ourselves, by the clock that is passed in.
    let mut rules = Validation::new(algorithm);
    rules.algorithms = vec![algorithm];
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let claims = keys
        .iter()
        .find_map(|key| jsonwebtoken::decode::<serde_json::Map<String, serde_json::Value>>(token, key, &rules).ok())
        .ok_or(IdentityError::Forged)?
        .claims;
    read_claims(&claims, now)
}

type Claims = serde_json::Map<String, serde_json::Value>;

fn read_claims(claims: &Claims, now: Timestamp) -> Result<VerifiedIdentity, IdentityError> {
    let until = read_exp(claims, now)?;
    let bad = |text: &str| IdentityError::BadClaims(text.to_owned());
    let sub =
        claims.get("sub").and_then(|sub| sub.as_str()).ok_or_else(|| bad("sub (the customer's id) is missing or not text"))?;
    let text = |name: &str, chars_max: usize| match claims.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) if text.chars().count() <= chars_max => {
            Ok(Some(clean_line(text)).filter(|text| !text.is_empty()))
        }
        Some(_) => Err(IdentityError::BadClaims(format!("{name} must be text of at most {chars_max} characters"))),
    };
    let email = text("email", 254)?;
    if email.as_deref().is_some_and(|email| !crate::frames::looks_like_email(email)) {
        return Err(bad("email is not a mail address"));
    }
    let email_verified = match claims.get("email_verified") {
        None | Some(serde_json::Value::Null) => false,
        Some(serde_json::Value::Bool(verified)) => *verified,
        Some(_) => return Err(bad("email_verified must be true or false")),
    };
    Ok(VerifiedIdentity {
        level: 3,
        id: read_id(sub)?,
        name: text("name", 200)?,
        email,
        email_verified,
        jti: text("jti", 255)?,
        until,
    })
}

fn read_exp(claims: &Claims, now: Timestamp) -> Result<Timestamp, IdentityError> {
    let seconds = claims.get("exp").and_then(|exp| exp.as_f64()).filter(|exp| exp.is_finite() && *exp >= 0.0);
    let seconds = seconds.ok_or_else(|| IdentityError::BadClaims("exp is missing or not a number of seconds".to_owned()))?;
    let exp = Timestamp((seconds * 1_000.0) as i64);
    if now >= exp.plus_ms(LEEWAY_MS) {
        return Err(IdentityError::Expired);
    }
    if exp > now.plus_ms(LIFE_MAX_MS + LEEWAY_MS) {
        return Err(IdentityError::BadClaims(
            "exp is more than 24 hours ahead; sign a short-lived token at each page load".to_owned(),
        ));
    }
    let nbf = claims.get("nbf").and_then(|nbf| nbf.as_f64()).map(|nbf| Timestamp((nbf * 1_000.0) as i64));
    if nbf.is_some_and(|nbf| nbf > now.plus_ms(LEEWAY_MS)) {
        return Err(IdentityError::BadClaims("nbf lies in the future".to_owned()));
    }
    Ok(exp)
}

fn read_id(id: &str) -> Result<String, IdentityError> {
    let bad = |text: &str| Err(IdentityError::BadClaims(text.to_owned()));
    // An id is compared exactly, so nothing is trimmed or cleaned: what could look like another id is refused.
    if id.is_empty() || id.trim() != id {
        return bad("the customer's id is empty or has white space around it");
    }
    if id.chars().count() > SUB_CHARS_MAX {
        return bad("the customer's id is longer than 255 characters");
    }
    if id.chars().any(char::is_control) {
        return bad("the customer's id has control characters");
    }
    Ok(id.to_owned())
}

fn clean_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// Checks the keyed hash of an id, in hex of either case: level 2, since it never expires. Constant time.
pub fn verify_hmac(id: &str, hex: &str, secrets: &IdentitySecrets, now: Timestamp) -> Result<VerifiedIdentity, IdentityError> {
    let given = decode_hex(hex).filter(|bytes| bytes.len() == 32).ok_or(IdentityError::Forged)?;
    let mut any = false;
    let mut good = subtle::Choice::from(0);
    for secret in secrets.each() {
        any = true;
        good |= mac(secret.expose().as_bytes(), &[id.as_bytes()]).ct_eq(&given);
    }
    if !any {
        return Err(IdentityError::NotSet);
    }
    if !bool::from(good) {
        return Err(IdentityError::Forged);
    }
    Ok(VerifiedIdentity {
        level: 2,
        id: read_id(id)?,
        name: None,
        email: None,
        email_verified: false,
        jti: None,
        until: now.plus_ms(HASH_LIFE_MS),
    })
}

fn decode_hex(hex: &str) -> Option<Vec<u8>> {
    // from_str_radix alone would take "+c" for a byte.
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    hex.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Reads an Ed25519 public key: PEM, JWK, or base64 of the 32 bytes (or of the DER form).
pub fn parse_public_key(text: &str) -> Option<[u8; 32]> {
    // The fixed head of a SubjectPublicKeyInfo with an Ed25519 key.
    const SPKI_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let text = text.trim();
    if text.starts_with('{') {
        let jwk: serde_json::Value = serde_json::from_str(text).ok()?;
        if jwk.get("kty")?.as_str()? != "OKP" || jwk.get("crv")?.as_str()? != "Ed25519" {
            return None;
        }
        return URL_SAFE_NO_PAD.decode(jwk.get("x")?.as_str()?).ok()?.try_into().ok();
    }
    let body = match text.strip_prefix("-----BEGIN PUBLIC KEY-----") {
        Some(rest) => rest.trim().strip_suffix("-----END PUBLIC KEY-----")?,
        None => text,
    };
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(&body).or_else(|_| URL_SAFE_NO_PAD.decode(body.trim_end_matches('='))).ok()?;
    bytes.strip_prefix(&SPKI_HEAD).unwrap_or(&bytes).try_into().ok()
}

/// A new visitor's id: 128 random bits.
pub fn new_visitor_id(random: &dyn Random) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    let mut bits = u128::from_be_bytes(bytes);
    let mut text = [0; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[(bits & 31) as usize];
        bits >>= 5;
    }
    format!("vis_{}", String::from_utf8_lossy(&text))
}

/// Is this the form of a visitor's id?
pub fn is_visitor_id(text: &str) -> bool {
    text.strip_prefix("vis_")
        .is_some_and(|rest| rest.len() == 26 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// A key for visitor tokens, with the number that stands in the token. Keys come from the desk.
#[derive(Clone)]
pub struct VisitorKey {
    /// Grows with each rotation.
    pub number: u32,
    /// The sub-key for the purpose `visitor`.
    pub bytes: [u8; 32],
}

impl std::fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VisitorKey({})", self.number)
    }
}

/// What a visitor token says: the same browser as before, and for a while what the site proved about it, so that
/// every node can tell without asking a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitorToken {
    /// The visitor.
    #[serde(rename = "v")]
    pub visitor_id: String,
    /// When the token was made.
    #[serde(rename = "i")]
    pub issued_at: Timestamp,
    /// Who the visitor proved to be.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<VerifiedIdentity>,
}

/// Why a visitor token does not count. The client begins again without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or of another inbox.
    #[error("not a visitor token of this inbox")]
    Forged,
    /// Older than a visitor is remembered.
    #[error("the visitor token is too old")]
    TooOld,
}

/// How long a visitor is remembered without coming back.
pub const TOKEN_LIFE_MS: i64 = 400 * 24 * 3_600_000;
const MAC_BYTES: usize = 16;

impl VisitorToken {
    /// A token for a visitor, as of now.
    pub fn new(visitor_id: impl Into<String>, issued_at: Timestamp) -> Self {
        Self { visitor_id: visitor_id.into(), issued_at, verified: None }
    }
    /// With what the site proved. The proof's own id stays out: nobody asks for it later, and it could be long.
    pub fn proven(self, verified: Option<VerifiedIdentity>) -> Self {
        Self { verified: verified.map(|verified| VerifiedIdentity { jti: None, ..verified }), ..self }
    }

    /// What was proved, as long as it counts.
    pub fn verified_at(&self, now: Timestamp) -> Option<&VerifiedIdentity> {
        self.verified.as_ref().filter(|verified| now < verified.until)
    }

    /// The text that the browser keeps: key number, content, MAC (128 bits).
    pub fn sign(&self, key: &VisitorKey, workspace: WorkspaceId, inbox: InboxId) -> String {
        let content = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a token is plain JSON"));
        let mac = token_mac(key, workspace, inbox, &content);
        format!("{}.{content}.{}", key.number, URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads a token of this inbox. All keys that may still be in use are passed in.
    pub fn verify(
        text: &str,
        keys: &[VisitorKey],
        workspace: WorkspaceId,
        inbox: InboxId,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let mut pieces = text.splitn(3, '.');
        let (Some(number), Some(content), Some(given)) = (pieces.next(), pieces.next(), pieces.next()) else {
            return Err(TokenError::Forged);
        };
        if text.len() > 4_096 {
            return Err(TokenError::Forged);
        }
        let key = keys.iter().find(|key| key.number.to_string() == number).ok_or(TokenError::Forged)?;
        let given = URL_SAFE_NO_PAD.decode(given).map_err(|_| TokenError::Forged)?;
        if !bool::from(token_mac(key, workspace, inbox, content).as_slice().ct_eq(&given)) {
            return Err(TokenError::Forged);
        }
        let token: Self =
            URL_SAFE_NO_PAD.decode(content).ok().and_then(|json| serde_json::from_slice(&json).ok()).ok_or(TokenError::Forged)?;
        if now.since(token.issued_at) > TOKEN_LIFE_MS {
            return Err(TokenError::TooOld);
        }
        Ok(token)
    }
}

// Every part has a fixed length or is the last one, so no two contents make the same bytes.
fn token_mac(key: &VisitorKey, workspace: WorkspaceId, inbox: InboxId, content: &str) -> [u8; MAC_BYTES] {
    let full = mac(
        &key.bytes,
        &[
            b"continuo visitor token\0",
            &key.number.to_be_bytes(),
            &workspace.0.to_be_bytes(),
            &inbox.0.to_be_bytes(),
            content.as_bytes(),
        ],
    );
    let mut short = [0; MAC_BYTES];
    short.copy_from_slice(&full[..MAC_BYTES]);
    short
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
