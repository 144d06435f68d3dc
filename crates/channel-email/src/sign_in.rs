//! How an account is signed in: password, or an OAuth access token that is fetched, kept in memory and renewed here. Refresh
//! tokens are secrets of the inbox; when a provider hands out a new one it is stored (compare and swap) before the access token
//! that came with it is used, so that a crash never loses the account.

use crate::settings::{
    CLIENT_SECRET, MailSettings, OauthMechanism, OauthSettings, PASSWORD, REFRESH_TOKEN, SMTP_PASSWORD, SignInMethod,
};
use crate::wire::{AccessToken, Wire};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use channel::{
    AuthorizeRequest, DeviceCode, DevicePoll, InboxSettings, PullError, SecretError, SecretText, SettingsRefused, SignInError,
    Tokens,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

// A token is renewed this long before its end, so that none runs out on the way.
const EARLY_MS: i64 = 120_000;
// Providers name no end now and then; an hour is what all big ones give.
const LIFE_SECONDS: i64 = 3_600;
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What convinces a mail server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    Password(SecretText),
    Token { mechanism: OauthMechanism, token: SecretText },
}

/// Which of the two servers is to be convinced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Read,
    Send,
}

impl Proof {
    /// The first SASL answer of a token, before base64.
    pub(crate) fn first_answer(mechanism: OauthMechanism, name: &str, host: &str, port: u16, token: &SecretText) -> String {
        match mechanism {
            OauthMechanism::Xoauth2 => format!("user={name}\x01auth=Bearer {}\x01\x01", token.expose()),
            OauthMechanism::Oauthbearer => {
                format!("n,a={},\x01host={host}\x01port={port}\x01auth=Bearer {}\x01\x01", saslname(name), token.expose())
            }
        }
    }
}

// RFC 5801: a comma and an equals sign would end the name.
fn saslname(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

impl OauthMechanism {
    /// Its name in SASL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xoauth2 => "XOAUTH2",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }
    /// What a client says after an error challenge, so that the server goes on to its refusal.
    pub(crate) fn after_error(self) -> &'static [u8] {
        match self {
            Self::Xoauth2 => b"",
            Self::Oauthbearer => b"\x01",
        }
    }
}

impl Wire {
    /// What to show to a server of this inbox. A kept access token is used until shortly before its end.
    pub(crate) async fn proof(&self, inbox: &InboxSettings, mail: &MailSettings, side: Side) -> Result<Proof, PullError> {
        match &mail.sign_in {
            SignInMethod::Password => {
                let own = (side == Side::Send).then(|| inbox.secrets.get(SMTP_PASSWORD)).flatten();
                let password = own.or_else(|| inbox.secrets.get(PASSWORD));
                password.map(Proof::Password).ok_or(PullError::SignInAgain)
            }
            SignInMethod::Oauth(oauth) => {
                let token = self.access_token(inbox, oauth).await?;
                Ok(Proof::Token { mechanism: oauth.mechanism, token })
            }
        }
    }

    /// The server refused a token that should have been good: the next `proof` fetches a new one.
    pub(crate) fn token_refused(&self, inbox: &InboxSettings) {
        self.forget_token(inbox.id);
    }

    async fn access_token(&self, inbox: &InboxSettings, oauth: &OauthSettings) -> Result<SecretText, PullError> {
        // Twice: when another process has rotated the refresh token meanwhile, the newer one is tried once.
        for _ in 0..2 {
            let refresh = inbox.secrets.get(REFRESH_TOKEN).ok_or(PullError::SignInAgain)?;
            let made_from = made_from(oauth, &refresh);
            if let Some(kept) = self.kept_token(inbox.id)
                && kept.made_from == made_from
                && kept.ends_at > self.now().plus_ms(EARLY_MS)
            {
                return Ok(SecretText::new(kept.token));
            }
            let mut form =
                vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose()), ("client_id", &oauth.client_id)];
            let client_secret = inbox.secrets.get(CLIENT_SECRET);
            if let Some(secret) = &client_secret {
                form.push(("client_secret", secret.expose()));
            }
            let answer = match self.ask_token(&oauth.token_url, &form).await {
                Ok(answer) => answer,
                Err(TokenError::Refused { code, .. }) if code == "invalid_grant" => {
                    if inbox.secrets.get(REFRESH_TOKEN).is_some_and(|now| now != refresh) {
                        continue;
                    }
                    return Err(PullError::SignInAgain);
                }
                Err(TokenError::Refused { code, text }) if code == "invalid_client" || code == "unauthorized_client" => {
                    return Err(PullError::Settings(format!("the provider does not accept our client id or secret: {text}")));
                }
                Err(TokenError::Refused { text, .. }) => return Err(PullError::Lost(format!("no new access token: {text}"))),
                Err(TokenError::Lost(text)) => return Err(PullError::Lost(text)),
            };
            let mut from = made_from;
            if let Some(newer) = answer.refresh_token.filter(|newer| newer != refresh.expose()) {
                let newer = SecretText::new(newer);
                from = self::made_from(oauth, &newer);
                match inbox.secrets.replace(REFRESH_TOKEN, &refresh, newer).await {
                    Ok(()) => {}
                    // Somebody else refreshed in the same moment. The access token works all the same; theirs is the grant
                    // that goes on, and the next round uses it.
                    Err(SecretError::Changed) => {
                        return Ok(SecretText::new(answer.access_token));
                    }
                    Err(SecretError::Broken(text)) => {
                        return Err(PullError::Lost(format!("the provider's new refresh token could not be stored: {text}")));
                    }
                }
            }
            let ends_at = self.now().plus_seconds(answer.expires_in.unwrap_or(LIFE_SECONDS).clamp(0, 31_536_000));
            let token = answer.access_token;
            self.keep_token(inbox.id, AccessToken { token: token.clone(), ends_at, made_from: from });
            return Ok(SecretText::new(token));
        }
        Err(PullError::Lost("the refresh token keeps changing; another process uses the same account".to_owned()))
    }

    async fn ask_token(&self, url: &str, form: &[(&str, &str)]) -> Result<TokenAnswer, TokenError> {
        let body = self.ask(url, form).await?;
        serde_json::from_slice(&body).map_err(|_| TokenError::Lost(format!("{} gave no token", host_of(url))))
    }

    async fn ask(&self, url: &str, form: &[(&str, &str)]) -> Result<Vec<u8>, TokenError> {
        let host = host_of(url);
        let http = self.http().map_err(TokenError::Lost)?;
        let sent = http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form_body(form))
            .send();
        let unreachable = |_| TokenError::Lost(format!("{host} cannot be reached"));
        let mut response = sent.await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(TokenError::Lost(format!("{host} gave an endless answer")));
            }
        }
        if status.is_success() {
            return Ok(body);
        }
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_client_error() && status.as_u16() != 429 && !refusal.error.is_empty() {
            let text = refusal.error_description.unwrap_or_else(|| refusal.error.clone());
            return Err(TokenError::Refused { code: refusal.error, text: text.chars().take(300).collect() });
        }
        Err(TokenError::Lost(format!("{host} answered {status}")))
    }

    pub(crate) async fn exchange_code(
        &self,
        inbox: &InboxSettings,
        code: &str,
        request: &AuthorizeRequest,
    ) -> Result<Tokens, SignInError> {
        let oauth = oauth_of(inbox)?;
        let secret = inbox.secrets.get(CLIENT_SECRET);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &request.redirect_url),
            ("client_id", &oauth.client_id),
            ("code_verifier", &request.verifier),
        ];
        if let Some(secret) = &secret {
            form.push(("client_secret", secret.expose()));
        }
        let answer = self.ask_token(&oauth.token_url, &form).await.map_err(SignInError::from)?;
        self.granted(inbox, &oauth, answer)
    }

    pub(crate) async fn device_begin(&self, inbox: &InboxSettings) -> Result<DeviceCode, SignInError> {
        let oauth = oauth_of(inbox)?;
        let Some(url) = &oauth.device_url else {
            return Err(refused("sign_in.device_url", "this provider offers no sign-in by code; use the browser instead").into());
        };
        let scopes = oauth.scopes.join(" ");
        let secret = inbox.secrets.get(CLIENT_SECRET);
        let mut form = vec![("client_id", oauth.client_id.as_str()), ("scope", &scopes)];
        if let Some(secret) = &secret {
            form.push(("client_secret", secret.expose()));
        }
        let body = self.ask(url, &form).await?;
        let answer: DeviceAnswer = serde_json::from_slice(&body)
            .map_err(|_| SignInError::Unreachable(format!("{} gave no device code", host_of(url))))?;
        Ok(DeviceCode {
            device_code: SecretText::new(answer.device_code),
            user_code: answer.user_code,
            verification_url: answer.verification_uri,
            expires_in_s: answer.expires_in.unwrap_or(600).clamp(30, 86_400),
            interval_s: answer.interval.unwrap_or(5).clamp(1, 120),
        })
    }

    pub(crate) async fn device_poll(&self, inbox: &InboxSettings, device_code: &SecretText) -> Result<DevicePoll, SignInError> {
        let oauth = oauth_of(inbox)?;
        let secret = inbox.secrets.get(CLIENT_SECRET);
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code.expose()),
            ("client_id", &oauth.client_id),
        ];
        if let Some(secret) = &secret {
            form.push(("client_secret", secret.expose()));
        }
        match self.ask_token(&oauth.token_url, &form).await {
            Ok(answer) => Ok(DevicePoll::Done(self.granted(inbox, &oauth, answer)?)),
            Err(TokenError::Refused { code, .. }) if code == "authorization_pending" => Ok(DevicePoll::Pending { interval_s: 5 }),
            Err(TokenError::Refused { code, .. }) if code == "slow_down" => Ok(DevicePoll::Pending { interval_s: 10 }),
            Err(error) => Err(error.into()),
        }
    }

    fn granted(&self, inbox: &InboxSettings, oauth: &OauthSettings, answer: TokenAnswer) -> Result<Tokens, SignInError> {
        // Without a refresh token the inbox would stop within the hour.
        let Some(refresh) = answer.refresh_token else {
            return Err(SignInError::Refused(
                "the provider gave no refresh token, so this inbox would stop within the hour. Ask for offline access (scope offline_access, or access_type=offline with prompt=consent) and sign in again."
                    .to_owned(),
            ));
        };
        let refresh = SecretText::new(refresh);
        let ends_at = self.now().plus_seconds(answer.expires_in.unwrap_or(LIFE_SECONDS).clamp(0, 31_536_000));
        let made_from = made_from(oauth, &refresh);
        self.keep_token(inbox.id, AccessToken { token: answer.access_token, ends_at, made_from });
        Ok(Tokens(vec![(REFRESH_TOKEN.to_owned(), refresh)]))
    }
}

/// Where a browser asks for access, with the S256 challenge of the verifier.
pub(crate) fn authorize_url(inbox: &InboxSettings, request: &AuthorizeRequest) -> Result<String, SettingsRefused> {
    let oauth = oauth_of(inbox)?;
    let plausible = (43..=128).contains(&request.verifier.len())
        && request.verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if !plausible {
        return Err(refused("verifier", "a PKCE verifier has 43 to 128 unreserved characters"));
    }
    let wrong = || refused("sign_in.authorize_url", "is missing: this provider only offers sign-in by code");
    let mut url = reqwest::Url::parse(&oauth.authorize_url).map_err(|_| wrong())?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.verifier.as_bytes()));
    let mail = MailSettings::of(inbox)?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &oauth.client_id)
        .append_pair("redirect_uri", &request.redirect_url)
        .append_pair("scope", &oauth.scopes.join(" "))
        .append_pair("state", &request.state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("login_hint", &mail.address)
        .extend_pairs(oauth.authorize_params.iter());
    Ok(url.into())
}

fn oauth_of(inbox: &InboxSettings) -> Result<OauthSettings, SettingsRefused> {
    match MailSettings::of(inbox)?.sign_in {
        SignInMethod::Oauth(oauth) => Ok(oauth),
        SignInMethod::Password => Err(refused("sign_in", "this inbox signs in with a password; choose OAuth first")),
    }
}

fn refused(field: &str, text: &str) -> SettingsRefused {
    SettingsRefused { field: field.to_owned(), text: text.to_owned() }
}

fn made_from(oauth: &OauthSettings, refresh: &SecretText) -> String {
    STANDARD.encode(Sha256::digest(format!("{}\0{}\0{}", oauth.token_url, oauth.client_id, refresh.expose())))
}

fn host_of(url: &str) -> String {
    reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "the provider".to_owned())
}

fn form_body(form: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("form:/").unwrap_or_else(|_| unreachable!("a constant"));
    url.query_pairs_mut().extend_pairs(form.iter());
    url.query().unwrap_or_default().to_owned()
}

enum TokenError {
    Refused { code: String, text: String },
    Lost(String),
}

impl From<TokenError> for SignInError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused { code, text } => Self::Refused(match code.as_str() {
                "access_denied" => "access was not given on the provider's page".to_owned(),
                "expired_token" => "the code was not typed in time; begin again".to_owned(),
                "invalid_grant" => format!("the provider no longer accepts this sign-in; begin again ({text})"),
                "invalid_client" => format!("the provider does not accept our client id or secret: {text}"),
                "redirect_uri_mismatch" => {
                    "the provider does not know our address; enter it there as redirect address".to_owned()
                }
                _ => format!("the provider refused: {text}"),
            }),
            TokenError::Lost(text) => Self::Unreachable(text),
        }
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    // Google calls it so since before the standard.
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
    #[serde(default, deserialize_with = "seconds")]
    interval: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

// Some providers write the number as text.
fn seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(from)?;
    Ok(value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel::NoSecrets;
    use serde_json::json;
    use std::sync::Arc;

    fn inbox(sign_in: serde_json::Value) -> InboxSettings {
        InboxSettings {
            id: model::InboxId(1),
            channel: model::Channel::Email,
            name: "Support".to_owned(),
            settings: json!({"address": "support@shop.test", "sign_in": sign_in}),
            secrets: Arc::new(NoSecrets),
        }
    }

    #[test]
    fn the_first_answer_is_what_the_standards_say() {
        let token = SecretText::new("T");
        let xoauth2 = Proof::first_answer(OauthMechanism::Xoauth2, "a@b.test", "imap.b.test", 993, &token);
        assert_eq!(xoauth2, "user=a@b.test\x01auth=Bearer T\x01\x01");
        let bearer = Proof::first_answer(OauthMechanism::Oauthbearer, "a=,b@b.test", "imap.b.test", 993, &token);
        assert_eq!(bearer, "n,a=a=3D=2Cb@b.test,\x01host=imap.b.test\x01port=993\x01auth=Bearer T\x01\x01");
    }

    // The pair of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_hash_of_the_verifier() {
        let inbox = inbox(json!({
            "method": "oauth", "authorize_url": "https://id.test/auth?tenant=x", "token_url": "https://id.test/t", "client_id": "c",
            "scopes": ["a", "b"], "authorize_params": {"access_type": "offline"}
        }));
        let request = AuthorizeRequest {
            redirect_url: "https://help.shop.test/back".to_owned(),
            state: "s t".to_owned(),
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
        };
        let url = authorize_url(&inbox, &request).unwrap();
        assert_eq!(
            url,
            "https://id.test/auth?tenant=x&response_type=code&client_id=c&redirect_uri=https%3A%2F%2Fhelp.shop.test%2Fback&scope=a+b&state=s+t&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=support%40shop.test&access_type=offline"
        );
        let short = AuthorizeRequest { verifier: "short".to_owned(), ..request };
        assert_eq!(authorize_url(&inbox, &short).unwrap_err().field, "verifier");
    }

    #[test]
    fn a_password_inbox_has_no_page_to_go_to() {
        let request = AuthorizeRequest { redirect_url: String::new(), state: String::new(), verifier: "v".repeat(43) };
        assert_eq!(authorize_url(&inbox(json!({"method": "password"})), &request).unwrap_err().field, "sign_in");
    }
}
