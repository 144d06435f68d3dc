//! Settings, read once, from four places: flags win over environment, environment over the settings file, that over the
//! defaults. Every refusal names where the wrong value stands and what is accepted. The only file that reads the
//! environment.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// Name of the settings file inside the data folder.
const FILE: &str = "continuo.toml";

/// How this process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Folder for database, files and keys.
    pub data: PathBuf,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// `sqlite:PATH` or `postgres://..`.
    pub database_url: String,
    /// Address for the outside, without slash at the end.
    pub public_url: Option<String>,
    /// Whether `X-Forwarded-*` headers are believed.
    pub behind_proxy: bool,
    /// File with the root key.
    pub key_file: PathBuf,
    /// What is logged, such as `info` or `warn,desk=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// Time zone of the server, offered in set-up.
    pub time_zone: String,
    /// Where mail is taken from a mail server of one's own (LMTP); `None`: nowhere.
    pub lmtp_listen: Option<SocketAddr>,
    /// Which name server is asked whether the sender of a mail is who they say.
    pub dns: Dns,
}

/// Who is asked about domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dns {
    /// Whom this computer asks.
    System,
    /// This one.
    At(SocketAddr),
    /// Nobody.
    Off,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A setting that cannot be used, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// One setting: how it is called in the file; flag and environment name follow from it.
struct Known {
    name: &'static str,
    value: &'static str,
    help: &'static str,
}

const KNOWN: [Known; 11] = [
    Known { name: "data", value: "FOLDER", help: "database, files and keys; default ./data" },
    Known { name: "listen", value: "ADDRESS:PORT", help: "where to listen; port 0 takes a free one; default 127.0.0.1:8080" },
    Known {
        name: "database_url",
        value: "URL",
        help: "sqlite:PATH or postgres://ROLE:PASSWORD@HOST/DATABASE; default sqlite in the data folder",
    },
    Known {
        name: "public_url",
        value: "URL",
        help: "address for the outside, such as https://desk.example.com; default: as the browser says",
    },
    Known {
        name: "behind_proxy",
        value: "true|false",
        help: "a proxy of yours stands in front: believe its X-Forwarded headers; default false",
    },
    Known { name: "key_file", value: "FILE", help: "root key for secrets and tokens; default continuo.key in the data folder" },
    Known { name: "log", value: "LEVEL", help: "error, warn, info, debug, or per part: warn,desk=debug; default info" },
    Known { name: "log_format", value: "text|json", help: "for people or for programs; default text" },
    Known { name: "time_zone", value: "ZONE", help: "offered in set-up, such as Europe/Berlin; default: the computer's" },
    Known {
        name: "lmtp_listen",
        value: "ADDRESS:PORT",
        help: "where your own mail server hands mail over by LMTP, such as 127.0.0.1:2424; default: nowhere",
    },
    Known {
        name: "dns",
        value: "system|off|ADDRESS:PORT",
        help: "the name server that is asked about senders of mail (SPF, DKIM, DMARC); default: the computer's",
    },
];

fn flag(name: &str) -> String {
    format!("--{}", name.replace('_', "-"))
}

fn variable(name: &str) -> String {
    format!("CONTINUO_{}", name.to_uppercase())
}

/// The part of `--help` that tells about settings.
pub fn help() -> String {
    let mut out = String::from("Settings (flag, or CONTINUO_NAME in the environment, or name = value in continuo.toml):\n");
    for known in &KNOWN {
        out.push_str(&format!("  {:<30} {}\n", format!("{} {}", flag(known.name), known.value), known.help));
    }
    out.push_str(&format!(
        "  {:<30} {}\n",
        "--config FILE", "settings file; default continuo.toml in the data folder, if it is there"
    ));
    out
}

/// What the surroundings say: flags by their setting's name, the environment.
#[derive(Debug, Default, Clone)]
pub struct Given {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// Values of flags.
    pub flags: BTreeMap<&'static str, String>,
    /// Values of `CONTINUO_*`.
    pub environment: BTreeMap<String, String>,
}

impl Given {
    /// Takes flags out of the arguments; what is left are the words of the command.
    pub fn read(
        arguments: impl Iterator<Item = String>,
        environment: BTreeMap<String, String>,
    ) -> Result<(Self, Vec<String>), SettingsError> {
        let mut given = Self { environment, ..Self::default() };
        let mut words = Vec::new();
        let mut arguments = arguments.peekable();
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") || argument.len() < 3 {
                words.push(argument);
                continue;
            }
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let known = KNOWN.iter().find(|known| flag(known.name) == name);
            if known.is_none() && name != "--config" {
                words.push(inline.map_or(name.clone(), |value| format!("{name}={value}")));
                continue;
            }
            let value = match inline {
                Some(value) => value,
                None => arguments.next().ok_or_else(|| SettingsError(format!("{name} needs a value; see continuo --help")))?,
            };
            match known {
                Some(known) => drop(given.flags.insert(known.name, value)),
                None => given.config = Some(value.into()),
            }
        }
        Ok((given, words))
    }

    /// `CONTINUO_*` of the process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn environment() -> BTreeMap<String, String> {
        // Whole environments may hold text that is no Unicode; only our own names are looked at.
        let names = KNOWN.iter().map(|known| variable(known.name)).chain(["CONTINUO_CONFIG".to_owned()]);
        names.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value))).collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    data: Option<String>,
    listen: Option<String>,
    database_url: Option<String>,
    public_url: Option<String>,
    behind_proxy: Option<bool>,
    key_file: Option<String>,
    log: Option<String>,
    log_format: Option<String>,
    time_zone: Option<String>,
    lmtp_listen: Option<String>,
    dns: Option<String>,
}

impl InFile {
    fn get(&self, name: &str) -> Option<String> {
        match name {
            "data" => self.data.clone(),
            "listen" => self.listen.clone(),
            "database_url" => self.database_url.clone(),
            "public_url" => self.public_url.clone(),
            "behind_proxy" => self.behind_proxy.map(|value| value.to_string()),
            "key_file" => self.key_file.clone(),
            "log" => self.log.clone(),
            "log_format" => self.log_format.clone(),
            "time_zone" => self.time_zone.clone(),
            "lmtp_listen" => self.lmtp_listen.clone(),
            "dns" => self.dns.clone(),
            _ => None,
        }
    }
}

/// A value and where it stands.
struct Found {
    value: String,
    place: String,
}

impl Found {
    fn refuse(&self, wanted: &str) -> SettingsError {
        SettingsError(format!("{} is \"{}\", but {wanted} is needed", self.place, self.value))
    }
}

impl Settings {
    /// Puts the four places together and checks every value.
    pub fn of(given: &Given) -> Result<Self, SettingsError> {
        let data = path(given, None, "data").map_or_else(|| PathBuf::from("data"), |found| PathBuf::from(found.value));
        let named = given.config.clone().or_else(|| given.environment.get("CONTINUO_CONFIG").map(PathBuf::from));
        let file = read_file(named.as_deref(), &data)?;
        let data = path(given, file.as_ref(), "data").map_or(data, |found| PathBuf::from(found.value));
        let find = |name| path(given, file.as_ref(), name);
        Ok(Self {
            listen: find("listen").map_or(Ok(SocketAddr::from(([127, 0, 0, 1], 8080))), |found| listen(&found))?,
            database_url: match find("database_url") {
                Some(found) => database_url(&found)?,
                None => format!("sqlite:{}", data.join("continuo.db").display()),
            },
            public_url: find("public_url").map(|found| public_url(&found)).transpose()?,
            behind_proxy: find("behind_proxy").map_or(Ok(false), |found| flag_value(&found))?,
            key_file: find("key_file").map_or_else(|| data.join("continuo.key"), |found| PathBuf::from(found.value)),
            log: find("log").map_or(Ok("info".to_owned()), |found| log_filter(&found))?,
            log_format: find("log_format").map_or(Ok(LogFormat::Text), |found| log_format(&found))?,
            time_zone: match find("time_zone") {
                Some(found) => time_zone(&found)?,
                None => computers_zone(),
            },
            lmtp_listen: find("lmtp_listen").map(|found| listen(&found)).transpose()?,
            dns: find("dns").map_or(Ok(Dns::System), |found| dns(&found))?,
            data,
        })
    }
}

fn path(given: &Given, file: Option<&(PathBuf, InFile)>, name: &'static str) -> Option<Found> {
    if let Some(value) = given.flags.get(name) {
        return Some(Found { value: value.clone(), place: flag(name) });
    }
    let variable = variable(name);
    if let Some(value) = given.environment.get(&variable).filter(|value| !value.is_empty()) {
        return Some(Found { value: value.clone(), place: variable });
    }
    let (path, file) = file?;
    file.get(name).map(|value| Found { value, place: format!("{name} in {}", path.display()) })
}

fn read_file(named: Option<&Path>, data: &Path) -> Result<Option<(PathBuf, InFile)>, SettingsError> {
    let path = named.map_or_else(|| data.join(FILE), Path::to_owned);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // No file is usual; a data folder that is none is told by whoever makes it.
        Err(error) if named.is_none() && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(SettingsError(format!("the settings file {} cannot be read: {error}", path.display()))),
    };
    match toml::from_str(&text) {
        Ok(file) => Ok(Some((path, file))),
        Err(error) => {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            Err(SettingsError(format!(
                "the settings file {} cannot be used, line {line}: {message}. The names that it may hold: {}.",
                path.display(),
                names.join(", ")
            )))
        }
    }
}

fn dns(found: &Found) -> Result<Dns, SettingsError> {
    match found.value.as_str() {
        "system" => Ok(Dns::System),
        "off" => Ok(Dns::Off),
        address => address
            .parse::<SocketAddr>()
            .or_else(|_| address.parse::<std::net::IpAddr>().map(|ip| SocketAddr::new(ip, 53)))
            .map(Dns::At)
            .map_err(|_| found.refuse("system, off, or the address of a name server such as 192.0.2.53 or 127.0.0.1:5353")),
    }
}

fn listen(found: &Found) -> Result<SocketAddr, SettingsError> {
    let refused = || found.refuse("an address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080,");
    if let Ok(address) = found.value.parse() {
        return Ok(address);
    }
    // "localhost:8080" and ":8080" are what people type.
    let text = if found.value.starts_with(':') { format!("0.0.0.0{}", found.value) } else { found.value.clone() };
    text.to_socket_addrs()
        .map_err(|_| refused())?
        .find(SocketAddr::is_ipv4)
        .or_else(|| text.to_socket_addrs().ok()?.next())
        .ok_or_else(refused)
}

fn database_url(found: &Found) -> Result<String, SettingsError> {
    let url = &found.value;
    if url.starts_with("sqlite:") || url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(url.clone());
    }
    let scheme: String = url.split(':').next().unwrap_or_default().chars().take(20).collect();
    Err(SettingsError(format!(
        "{} begins with \"{scheme}\", but only sqlite:PATH (such as sqlite:/var/lib/continuo/continuo.db) and \
         postgres://ROLE:PASSWORD@HOST/DATABASE are understood",
        found.place
    )))
}

fn public_url(found: &Found) -> Result<String, SettingsError> {
    let url = found.value.trim_end_matches('/').to_ascii_lowercase();
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
    if host.is_some_and(|host| !host.is_empty() && host.chars().all(plain)) {
        return Ok(url);
    }
    Err(found.refuse("an address without path, such as https://desk.example.com,"))
}

fn flag_value(found: &Found) -> Result<bool, SettingsError> {
    match found.value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(found.refuse("true or false")),
    }
}

fn log_filter(found: &Found) -> Result<String, SettingsError> {
    match found.value.parse::<tracing_subscriber::filter::EnvFilter>() {
        Ok(_) if !found.value.trim().is_empty() => Ok(found.value.clone()),
        _ => Err(found.refuse("error, warn, info, debug or trace, or parts such as warn,desk=debug,")),
    }
}

fn log_format(found: &Found) -> Result<LogFormat, SettingsError> {
    match found.value.as_str() {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(found.refuse("text or json")),
    }
}

fn time_zone(found: &Found) -> Result<String, SettingsError> {
    match model::hours::Hours::office(&found.value).check() {
        Ok(()) => Ok(found.value.clone()),
        Err(_) => Err(found.refuse("a time zone such as Europe/Berlin")),
    }
}

/// The computer's zone by its usual link, UTC when it does not say.
fn computers_zone() -> String {
    let link = std::fs::read_link("/etc/localtime").unwrap_or_default();
    let name = link.to_string_lossy().split_once("zoneinfo/").map(|(_, name)| name.to_owned());
    name.filter(|name| model::hours::Hours::office(name).check().is_ok()).unwrap_or_else(|| "UTC".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(flags: &[&str], environment: &[(&str, &str)]) -> Given {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (given, words) = Given::read(flags.iter().map(|flag| (*flag).to_owned()), environment).unwrap();
        assert!(words.is_empty(), "{words:?}");
        given
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        std::fs::write(folder.path().join(FILE), "listen = \"127.0.0.1:1\"\nbehind_proxy = true\nlog = \"warn\"\n").unwrap();
        let settings = Settings::of(&given(
            &["--data", &data, "--listen=127.0.0.1:3"],
            &[("CONTINUO_LISTEN", "127.0.0.1:2"), ("CONTINUO_LOG", "debug")],
        ))
        .unwrap();
        assert_eq!((settings.listen.port(), settings.log.as_str(), settings.behind_proxy), (3, "debug", true));
        assert_eq!(settings.database_url, format!("sqlite:{data}/continuo.db"));
        assert_eq!(settings.key_file, folder.path().join("continuo.key"));
        let settings = Settings::of(&given(&["--data", &data], &[("CONTINUO_LISTEN", "127.0.0.1:2")])).unwrap();
        assert_eq!((settings.listen.port(), settings.log.as_str()), (2, "warn"));
        let elsewhere = tempfile::tempdir().unwrap();
        let settings = Settings::of(&given(&["--data", &elsewhere.path().display().to_string()], &[])).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    }

    fn file_error(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let error = Settings::of(&given(&["--data", &folder.path().display().to_string()], &[])).unwrap_err().0;
        error.replace(&folder.path().display().to_string(), "DATA")
    }

    #[test]
    fn a_wrong_file_is_refused_by_line_and_name() {
        let unknown = file_error("log = \"info\"\n\nlisen = \"x\"\n");
        assert!(unknown.contains("DATA/continuo.toml") && unknown.contains("line 3") && unknown.contains("lisen"), "{unknown}");
        assert!(unknown.contains("database_url, public_url"), "{unknown}");
        let wrong_type = file_error("behind_proxy = 7\n");
        assert!(wrong_type.contains("line 1") && wrong_type.contains("boolean"), "{wrong_type}");
        let broken = file_error("listen = \"127.0.0.1:1\"\n= =\n");
        assert!(broken.contains("line 2"), "{broken}");
        assert!(file_error("\u{0}\u{1}").contains("line 1"));
        assert!(file_error("listen = \"nowhere\"").contains("listen in DATA/continuo.toml is \"nowhere\""));
    }

    #[test]
    fn wrong_values_name_their_place_and_what_is_accepted() {
        let refuse = |flags: &[&str], environment: &[(&str, &str)]| Settings::of(&given(flags, environment)).unwrap_err().0;
        let mysql = refuse(&[], &[("CONTINUO_DATABASE_URL", "mysql://root:secret@db/x")]);
        assert!(mysql.contains("CONTINUO_DATABASE_URL") && mysql.contains("sqlite:") && mysql.contains("postgres://"), "{mysql}");
        assert!(!mysql.contains("secret"), "a password does not get into an error");
        assert!(refuse(&["--public-url", "desk.example.com"], &[]).contains("--public-url is"));
        assert!(refuse(&["--public-url", "https://desk.example.com/path"], &[]).contains("without path"));
        assert!(refuse(&["--behind-proxy", "maybe"], &[]).contains("true or false"));
        assert!(refuse(&["--log-format", "xml"], &[]).contains("text or json"));
        assert!(refuse(&["--time-zone", "Mars/Base"], &[]).contains("Europe/Berlin"));
        assert!(refuse(&["--config", "/nowhere/continuo.toml"], &[]).contains("/nowhere/continuo.toml"));
    }

    #[test]
    fn other_words_and_flags_are_left_to_the_command() {
        let arguments = ["demo", "--data", "x", "--conversations", "5", "--seed=3"].map(str::to_owned);
        let (given, words) = Given::read(arguments.into_iter(), BTreeMap::new()).unwrap();
        assert_eq!(words, ["demo", "--conversations", "5", "--seed=3"]);
        assert_eq!(given.flags["data"], "x");
        assert!(Given::read(["--data".to_owned()].into_iter(), BTreeMap::new()).unwrap_err().0.contains("--data needs a value"));
    }

    #[test]
    fn what_people_type_as_an_address_works() {
        let at = |value: &str| Settings::of(&given(&["--listen", value], &[])).map(|settings| settings.listen.to_string());
        assert_eq!(at(":9000").unwrap(), "0.0.0.0:9000");
        assert_eq!(at("[::1]:9000").unwrap(), "[::1]:9000");
        assert_eq!(at("localhost:9000").unwrap(), "127.0.0.1:9000");
        assert!(at("9000").is_err());
    }
}
