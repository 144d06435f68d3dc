//! Providers that we know: their servers, how they want to be signed in, and what an admin has to know first. Facts of
//! providers change: each stands here once, with what it was taken from.

use channel::Preset;
use serde_json::{Value as Json, json};

/// A provider and how it is recognised.
pub(crate) struct Provider {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Domains of addresses that it gives to everybody.
    pub(crate) domains: &'static [&'static str],
    /// Ends of the names of its mail exchangers, for domains of firms.
    pub(crate) exchangers: &'static [&'static str],
    pub(crate) sign_in: &'static [&'static str],
    pub(crate) note: &'static str,
    pub(crate) settings: fn() -> Json,
}

fn servers(imap: &str, smtp: &str, smtp_port: u16) -> Json {
    json!({
        "imap": {"host": imap, "port": 993, "tls": "implicit"},
        "smtp": {"host": smtp, "port": smtp_port, "tls": if smtp_port == 465 { "implicit" } else { "starttls" }},
    })
}

fn with(mut settings: Json, more: &Json) -> Json {
    if let (Some(settings), Some(more)) = (settings.as_object_mut(), more.as_object()) {
        settings.extend(more.clone());
    }
    settings
}

/// All of them, best known first.
pub(crate) const PROVIDERS: &[Provider] = &[
    Provider {
        id: "gmail",
        name: "Gmail and Google Workspace",
        domains: &["gmail.com", "googlemail.com"],
        exchangers: &[".google.com", ".googlemail.com"],
        sign_in: &["oauth", "password"],
        note: "Google lets mail programs in by OAuth with a client id of your own (in Google Workspace: an internal app), or with an app password of an account that has two-step verification. The account's usual password does not work.",
        settings: || {
            with(
                servers("imap.gmail.com", "smtp.gmail.com", 465),
                &json!({
                    "preset": "gmail",
                    // Gmail files what it sends; a copy of ours would be a second one.
                    "keeps_sent_copies": true,
                    "authserv_id": "mx.google.com",
                    "sign_in": {
                        "method": "oauth", "mechanism": "xoauth2",
                        "authorize_url": "https://accounts.google.com/o/oauth2/v2/auth",
                        "token_url": "https://oauth2.googleapis.com/token",
                        // Google's device page does not give the mail scope, so none is named.
                        "device_url": null, "client_id": "",
                        "scopes": ["https://mail.google.com/"],
                        "authorize_params": {"access_type": "offline", "prompt": "consent"},
                    },
                }),
            )
        },
    },
    Provider {
        id: "microsoft365",
        name: "Microsoft 365 and Outlook",
        domains: &["outlook.com", "hotmail.com", "live.com", "msn.com"],
        exchangers: &[".mail.protection.outlook.com", ".mx.microsoft"],
        sign_in: &["oauth"],
        note: "Microsoft wants OAuth: register an app in Entra ID with the delegated permissions IMAP.AccessAsUser.All and SMTP.Send, and allow authenticated SMTP for this mailbox. Sending with a password is switched off by default at the end of December 2026.",
        settings: || {
            with(
                servers("outlook.office365.com", "smtp.office365.com", 587),
                &json!({
                    "preset": "microsoft365",
                    "keeps_sent_copies": true,
                    "sign_in": {
                        "method": "oauth", "mechanism": "xoauth2",
                        "authorize_url": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
                        "token_url": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
                        "device_url": "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
                        "client_id": "",
                        "scopes": [
                            "https://outlook.office.com/IMAP.AccessAsUser.All",
                            "https://outlook.office.com/SMTP.Send",
                            "offline_access",
                        ],
                        "authorize_params": {},
                    },
                }),
            )
        },
    },
    Provider {
        id: "fastmail",
        name: "Fastmail",
        domains: &["fastmail.com", "fastmail.fm"],
        exchangers: &[".messagingengine.com"],
        sign_in: &["password"],
        note: "Make an app password with access to IMAP and SMTP in Fastmail under Settings, Privacy & Security. The usual password does not work.",
        settings: || with(servers("imap.fastmail.com", "smtp.fastmail.com", 465), &json!({"preset": "fastmail"})),
    },
    Provider {
        id: "icloud",
        name: "iCloud Mail",
        domains: &["icloud.com", "me.com", "mac.com"],
        exchangers: &[".mail.icloud.com"],
        sign_in: &["password"],
        note: "Make an app-specific password at account.apple.com. The usual password does not work.",
        settings: || with(servers("imap.mail.me.com", "smtp.mail.me.com", 587), &json!({"preset": "icloud"})),
    },
    Provider {
        id: "zoho",
        name: "Zoho Mail",
        domains: &["zoho.com", "zohomail.com", "zoho.eu", "zohomail.eu"],
        exchangers: &[".zoho.com", ".zoho.eu", ".zoho.in", ".zoho.com.au"],
        sign_in: &["password"],
        note: "Switch IMAP access on in Zoho under Settings, Mail Accounts, and use an app password when the account has two-factor sign-in. Accounts of another region have servers such as imap.zoho.eu.",
        settings: || with(servers("imap.zoho.com", "smtp.zoho.com", 465), &json!({"preset": "zoho"})),
    },
    Provider {
        id: "other",
        name: "Another mail server",
        domains: &[],
        exchangers: &[],
        sign_in: &["password", "oauth"],
        note: "",
        settings: || json!({"preset": "other"}),
    },
];

impl Provider {
    pub(crate) fn preset(&self) -> Preset {
        Preset {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            settings: (self.settings)(),
            sign_in: self.sign_in.iter().map(|word| (*word).to_owned()).collect(),
            note: self.note.to_owned(),
        }
    }
}

/// The provider that gives addresses of this domain to everybody.
pub(crate) fn by_domain(domain: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.domains.contains(&domain))
}

/// The provider that receives mail under this name.
pub(crate) fn by_exchanger(host: &str) -> Option<&'static Provider> {
    let host = host.trim_end_matches('.').to_lowercase();
    PROVIDERS.iter().find(|provider| provider.exchangers.iter().any(|end| host.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::validate;

    #[test]
    fn every_preset_with_a_client_id_and_an_address_is_valid() {
        for provider in PROVIDERS {
            let mut settings = (provider.settings)();
            settings["address"] = json!("support@shop.test");
            if settings.get("sign_in").is_some() {
                settings["sign_in"]["client_id"] = json!("id");
            }
            let stored = validate(&settings).unwrap_or_else(|refused| panic!("{}: {refused}", provider.id));
            assert_eq!(stored["preset"], provider.id);
            assert_eq!(stored["imap"].is_object(), provider.id != "other");
        }
    }

    #[test]
    fn providers_are_recognised() {
        let id = |provider: Option<&Provider>| provider.map(|provider| provider.id);
        assert_eq!(id(by_domain("gmail.com")), Some("gmail"));
        assert_eq!(id(by_domain("shop.test")), None);
        assert_eq!(id(by_exchanger("ASPMX.L.GOOGLE.com.")), Some("gmail"));
        assert_eq!(id(by_exchanger("shop-test.mail.protection.outlook.com")), Some("microsoft365"));
        assert_eq!(id(by_exchanger("in1-smtp.messagingengine.com")), Some("fastmail"));
        assert_eq!(id(by_exchanger("mx.evilgoogle.com")), None);
    }
}
