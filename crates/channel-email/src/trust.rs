//! How far the sender of a mail is to be believed (email.md 10). In: headers, the sender as read from them, and the
//! evidence that was gathered before parsing. Out: a verdict with everything that was weighed. Pure: the look-ups are
//! in `evidence.rs`, and what they found is stored with the mail, so that reading it again gives the same.
//!
//! Anybody may write `Authentication-Results` into a mail. Only the topmost one counts, only when it bears the name of
//! the inbox's own provider, and only when no field of that name stands above what the provider itself added.

use crate::address::Sender;
use crate::headers::{Headers, unfold};
use crate::quote_lines::up_to;
use channel::{SenderTrust, TrustEvidence};
use serde::{Deserialize, Serialize};

/// What the look-ups said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Proven.
    Pass,
    /// Disproved.
    Fail,
    /// SPF: probably not.
    Softfail,
    /// SPF: the domain says nothing.
    Neutral,
    /// Nothing to check.
    #[default]
    None,
    /// Could not be looked up now.
    Temperror,
    /// Cannot be looked up.
    Permerror,
}

impl Outcome {
    /// The word of RFC 8601.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pass" | "bestguesspass" => Self::Pass,
            "fail" | "hardfail" => Self::Fail,
            "softfail" => Self::Softfail,
            "neutral" | "policy" => Self::Neutral,
            "temperror" | "error" => Self::Temperror,
            "permerror" => Self::Permerror,
            _ => Self::None,
        }
    }
}

/// One DKIM signature.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DkimFound {
    /// Its domain (`d=`).
    pub domain: String,
    /// Whether it holds.
    pub outcome: Outcome,
    /// Why not.
    pub reason: Option<String>,
}

/// What `evidence::gather` found. Stored as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Form of this record.
    pub version: u32,
    /// The domain of From that was asked about.
    pub from_domain: Option<String>,
    /// We saw the sending server ourselves, so SPF could be asked.
    pub direct: bool,
    /// SPF of the envelope sender.
    pub spf: Outcome,
    /// The domain that SPF speaks for.
    pub spf_domain: Option<String>,
    /// Each signature.
    pub dkim: Vec<DkimFound>,
    /// A passing signature is aligned with From.
    pub dmarc_dkim: Outcome,
    /// A passing SPF is aligned with From.
    pub dmarc_spf: Outcome,
    /// What the domain asks for: `none`, `quarantine`, `reject`; absent without a record.
    pub policy: Option<String>,
}

/// Version of `Found` that is written today.
pub const FOUND_VERSION: u32 = 1;

impl Found {
    /// Reads stored evidence; what cannot be read counts as none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(bytes).ok().filter(|found| found.version == FOUND_VERSION)
    }
}

/// The verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How far.
    pub trust: SenderTrust,
    /// Why.
    pub evidence: Vec<TrustEvidence>,
}

/// Judges the sender. `authserv_id`: the name under which the inbox's own provider writes Authentication-Results.
pub fn judge(headers: &Headers, sender: &Sender, evidence: Option<&[u8]>, authserv_id: Option<&str>) -> Verdict {
    if !sender.is_plain() {
        let result = if sender.addresses > 1 || sender.fields > 1 { "several" } else { "unusable" };
        return Verdict { trust: SenderTrust::Failed, evidence: vec![weighed("from", result, None, None)] };
    }
    let domain = sender.person.domain().unwrap_or_default();
    let mut all = vec![];
    // What we saw ourselves is better than what anybody wrote down.
    let found = evidence
        .and_then(Found::read)
        .filter(|found| found.from_domain.as_deref().is_none_or(|have| have.eq_ignore_ascii_case(&domain)));
    let ours = found.as_ref().and_then(|found| by_look_ups(found, &domain, &mut all));
    if found.as_ref().is_some_and(|found| found.direct)
        && let Some(trust) = ours
    {
        return Verdict { trust, evidence: all };
    }
    let provider = authserv_id.filter(|id| !id.trim().is_empty()).and_then(|id| by_provider(headers, id, &domain, &mut all));
    // A provider that saw the sending server knows more than a signature checked later; a good signature is proof anyway.
    let trust = match (provider, ours) {
        (Some(SenderTrust::Failed), _) => SenderTrust::Failed,
        (Some(SenderTrust::Controlled), _) | (_, Some(SenderTrust::Controlled)) => SenderTrust::Controlled,
        (_, Some(SenderTrust::Failed)) => SenderTrust::Failed,
        _ => SenderTrust::Unverified,
    };
    Verdict { trust, evidence: all }
}

fn weighed(method: &str, result: &str, domain: Option<String>, detail: Option<String>) -> TrustEvidence {
    TrustEvidence { method: method.to_owned(), result: result.to_owned(), domain, detail }
}

// The published policy alone says nothing; without the sending server a missing signature says nothing either.
fn by_look_ups(found: &Found, domain: &str, all: &mut Vec<TrustEvidence>) -> Option<SenderTrust> {
    if found.direct {
        all.push(weighed("spf", found.spf.word(), found.spf_domain.clone(), None));
    }
    for signature in &found.dkim {
        all.push(weighed("dkim", signature.outcome.word(), Some(signature.domain.clone()), signature.reason.clone()));
    }
    let pass = found.dmarc_dkim == Outcome::Pass || (found.direct && found.dmarc_spf == Outcome::Pass);
    let detail = found.policy.as_ref().map(|policy| format!("policy {policy}"));
    let unsure = [found.dmarc_dkim, found.dmarc_spf, found.spf].contains(&Outcome::Temperror)
        || found.dkim.iter().any(|signature| signature.outcome == Outcome::Temperror);
    let strict = matches!(found.policy.as_deref(), Some("quarantine" | "reject"));
    let (trust, result) = match () {
        () if pass => (Some(SenderTrust::Controlled), "pass"),
        () if found.policy.is_none() => (None, "none"),
        // What could not be looked up proves nothing.
        () if unsure => (None, "temperror"),
        // The domain says that all its mail passes: this one is not its mail. With `none` it says that it does not know.
        () if found.direct && strict => (Some(SenderTrust::Failed), "fail"),
        () if found.direct => (None, "fail"),
        () => (None, "none"),
    };
    all.push(weighed("dmarc", result, Some(domain.to_owned()), detail));
    trust
}

// The topmost Authentication-Results of the inbox's own provider.
fn by_provider(headers: &Headers, id: &str, domain: &str, all: &mut Vec<TrustEvidence>) -> Option<SenderTrust> {
    let topmost = headers.raw("Authentication-Results")?;
    let results = parse_results(topmost)?;
    if !same_server(&results.server, id) {
        // Written by somebody on the way, or by the sender: it counts nothing, and neither does any below it.
        all.push(weighed(
            "authentication_results",
            "foreign",
            Some(results.server),
            Some("not written by the inbox's own provider".to_owned()),
        ));
        return None;
    }
    let mut dmarc = None;
    for one in &results.methods {
        let about = one.domain();
        all.push(weighed(&one.method, one.outcome.word(), about.clone(), Some(format!("said by {}", results.server))));
        if one.method == "dmarc" && dmarc.is_none() {
            // It must be about the domain that this mail shows.
            let same = one.property("header.from").is_none_or(|from| from.trim_start_matches('@').eq_ignore_ascii_case(domain));
            dmarc = same.then_some((
                one.outcome,
                one.comment.clone(),
                one.property("action").map(str::to_owned),
                one.property("policy.dmarc").map(str::to_owned),
            ));
        }
    }
    let aligned = results.methods.iter().any(|one| {
        one.outcome == Outcome::Pass && one.method == "dkim" && one.domain().is_some_and(|have| same_organisation(&have, domain))
    });
    match dmarc {
        Some((Outcome::Pass, ..)) => Some(SenderTrust::Controlled),
        Some((Outcome::Fail, comment, action, policy)) => {
            // `p=NONE` is what a domain says that only wants reports.
            let comment = comment.to_ascii_lowercase();
            let lenient = comment.contains("p=none")
                || action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("none"))
                || policy.as_deref().is_some_and(|policy| policy.eq_ignore_ascii_case("none"));
            if lenient { None } else { Some(SenderTrust::Failed) }
        }
        // The provider does not say DMARC: a signature of the same domain is what DMARC would ask for.
        None if aligned => Some(SenderTrust::Controlled),
        _ => None,
    }
}

// `mx.google.com` is the learned name; a provider may number its servers (`mx1.shop.test 1`).
fn same_server(have: &str, learned: &str) -> bool {
    have.eq_ignore_ascii_case(learned.trim())
}

/// Relaxed alignment without the public suffix list: the same domain, or one inside of the other.
fn same_organisation(signer: &str, from: &str) -> bool {
    let (signer, from) = (signer.trim_end_matches('.').to_ascii_lowercase(), from.trim_end_matches('.').to_ascii_lowercase());
    // A signer must name at least a registered domain; `co.uk` cannot be signed for by anybody we would meet, but a
    // single label is none in any case.
    signer == from || (signer.contains('.') && from.strip_suffix(&signer).is_some_and(|rest| rest.ends_with('.')))
}

/// An Authentication-Results field (RFC 8601).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Who says it.
    pub server: String,
    /// What it says.
    pub methods: Vec<MethodResult>,
}

/// One result in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    /// `dmarc`, `dkim`, `spf`, ..
    pub method: String,
    /// What it said.
    pub outcome: Outcome,
    /// All comments, which hold the policy at Google.
    pub comment: String,
    /// `header.from=..` and so on.
    pub properties: Vec<(String, String)>,
}

impl MethodResult {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
    fn domain(&self) -> Option<String> {
        let names: &[&str] = match self.method.as_str() {
            "dkim" => &["header.d", "header.i"],
            "spf" => &["smtp.mailfrom", "smtp.mail", "smtp.helo"],
            _ => &["header.from"],
        };
        let value = names.iter().find_map(|name| self.property(name))?;
        let domain = value.rsplit('@').next().unwrap_or(value).trim_matches(['<', '>', '"']);
        (!domain.is_empty()).then(|| domain.to_ascii_lowercase())
    }
}

/// Reads one Authentication-Results value. Some servers leave the name out (`spf=pass ..`): then it is empty.
pub fn parse_results(raw: &str) -> Option<Results> {
    let value = unfold(raw);
    let value = up_to(&value, 16 * 1024);
    let mut results = Results::default();
    for (index, clause) in clauses(value).into_iter().enumerate() {
        let mut words = clause.words.split_whitespace().peekable();
        if index == 0 {
            let first = words.peek().copied().unwrap_or_default();
            if !first.contains('=') {
                results.server = first.trim_matches('"').to_owned();
                words.next();
                // A version number may follow.
                if words.peek().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
                    words.next();
                }
            }
        }
        let Some((method, said)) = words.next().and_then(|word| word.split_once('=')) else { continue };
        let method = method.split('/').next().unwrap_or(method).to_ascii_lowercase();
        let outcome = Outcome::of(said.trim_matches('"'));
        let properties = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches('"').to_owned()));
        let properties = properties.take(50).collect();
        if results.methods.len() < 100 {
            results.methods.push(MethodResult { method, outcome, comment: clause.comment, properties });
        }
    }
    (!results.server.is_empty() || !results.methods.is_empty()).then_some(results)
}

#[derive(Default)]
struct Clause {
    words: String,
    comment: String,
}

// Cuts at semicolons, takes comments out, leaves what is quoted whole (its spaces and semicolons become `_`).
fn clauses(value: &str) -> Vec<Clause> {
    let mut all = vec![Clause::default()];
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for c in value.chars() {
        let (last, more) = (all.len() - 1, all.len() < 100);
        let clause = &mut all[last];
        if escaped {
            escaped = false;
            if depth == 0 {
                clause.words.push(c);
            }
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if depth > 0 && !quoted => {
                depth -= 1;
                clause.comment.push(' ');
                if depth == 0 {
                    clause.words.push(' ');
                }
            }
            c if depth > 0 => clause.comment.push(c),
            ';' | ' ' if quoted => clause.words.push('_'),
            ';' if more => all.push(Clause::default()),
            c => clause.words.push(c),
        }
    }
    all
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
