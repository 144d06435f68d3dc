//! A mail bed: real Dovecot, Postfix and dnsmasq on loopback, each in a throw-away folder with ports of its own, so that
//! parallel runs do not meet. Nothing in `/etc` is touched and no mail can leave. Also the fault proxy that stands between
//! product and server: it cuts, stalls, goes half-open, and cuts right after the final dot.
//!
//! The servers drop their rights to accounts of their own, so the bed needs root and says so when it is not.

#![allow(clippy::disallowed_methods, reason = "real servers live in real time")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Secret that signs the tokens of the bed's OAuth accounts.
pub const TOKEN_SECRET: &[u8] = b"a-secret-of-the-mail-bed-and-of-nothing-else";
/// The password of every account.
pub const PASSWORD: &str = "secret";

/// Running mail servers. They stop when this is dropped.
pub struct MailBed {
    folder: PathBuf,
    /// IMAP with STARTTLS.
    pub imap_port: u16,
    /// IMAP over TLS.
    pub imaps_port: u16,
    /// Dovecot's LMTP.
    pub lmtp_port: u16,
    /// Postfix without sign-in: the outside world.
    pub smtp_port: u16,
    /// Postfix submission: STARTTLS and sign-in.
    pub submission_port: u16,
    /// dnsmasq, UDP and TCP.
    pub dns_port: u16,
    sasl_port: u16,
}

/// What to change in a bed before it starts.
#[derive(Clone, Debug, Default)]
pub struct BedOptions {
    /// Mail to these domains goes to this port by LMTP instead of to Dovecot: for our own listener.
    pub lmtp_domains: BTreeMap<String, u16>,
    /// More lines for dnsmasq, such as `txt-record=..`.
    pub dns_lines: Vec<String>,
    /// Dovecot does not announce these IMAP capabilities.
    pub hidden_capabilities: Vec<String>,
    /// The servers file a copy of what support@shop.test submits into Sent, as some providers do.
    pub files_sent_copies: bool,
    /// A header that Postfix puts on top of each mail, such as `Authentication-Results: mx.shop.test; dkim=pass`.
    pub header_on_top: Option<String>,
}

impl MailBed {
    /// Starts all three servers, or says in one sentence what is missing.
    pub fn start() -> Result<Self, String> {
        Self::start_with(&BedOptions::default())
    }

    /// Starts a bed that differs.
    pub fn start_with(options: &BedOptions) -> Result<Self, String> {
        missing()?;
        let folder = new_folder()?;
        let ports = free_ports(7)?;
        let bed = Self {
            folder,
            imap_port: ports[0],
            imaps_port: ports[1],
            lmtp_port: ports[2],
            smtp_port: ports[3],
            submission_port: ports[4],
            dns_port: ports[5],
            sasl_port: ports[6],
        };
        bed.write_files(options).map_err(|error| format!("the bed's folder cannot be filled: {error}"))?;
        bed.run("dovecot", &["-c", &bed.path("dc/dovecot.conf")])?;
        bed.run("postfix", &["-c", &bed.path("pf/conf"), "start"])?;
        bed.run("dnsmasq", &["-C", &bed.path("dnsmasq.conf"), &format!("--pid-file={}", bed.path("dnsmasq.pid"))])?;
        for port in [bed.imap_port, bed.lmtp_port, bed.smtp_port, bed.submission_port, bed.dns_port] {
            wait_for_port(port)?;
        }
        Ok(bed)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The folder of the bed: logs, mail, queues.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The authority that signed the servers' certificate, for `trusted_ca`.
    pub fn ca_pem(&self) -> String {
        std::fs::read_to_string(self.folder.join("ca.pem")).unwrap_or_default()
    }

    /// Settings of an inbox of this bed with a password: STARTTLS on both sides.
    pub fn settings(&self, address: &str) -> serde_json::Value {
        serde_json::json!({
            "address": address,
            "imap": {"host": "127.0.0.1", "port": self.imap_port, "tls": "starttls"},
            "smtp": {"host": "127.0.0.1", "port": self.submission_port, "tls": "starttls"},
            "trusted_ca": self.ca_pem(),
        })
    }

    /// A signed access token for an account, as an identity provider would give it. Negative: already over.
    pub fn token(&self, address: &str, seconds: i64) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0));
        jwt(&serde_json::json!({
            "email": address, "sub": address, "iat": now - 60, "exp": now + seconds, "aud": "continuo",
        }))
    }

    /// Puts a mail into a folder of an account by Dovecot's own delivery, as a mail server would.
    pub fn deliver(&self, from: &str, to: &str, mail: &str) -> Result<(), String> {
        lmtp_deliver(self.lmtp_port, from, to, mail.as_bytes())
    }

    /// Sends a mail by SMTP from the outside world; gives the server's final answer.
    pub fn send(&self, from: &str, to: &str, mail: &str) -> Result<String, String> {
        smtp_send(self.smtp_port, from, to, mail.as_bytes())
    }

    /// Saves a mail straight into a named folder of an account.
    pub fn save(&self, account: &str, folder: &str, mail: &str) -> Result<(), String> {
        self.doveadm_with(&["save", "-u", account, "-m", folder], mail.as_bytes()).map(|_| ())
    }

    /// Makes a folder in an account.
    pub fn make_folder(&self, account: &str, folder: &str) -> Result<(), String> {
        self.doveadm(&["mailbox", "create", "-u", account, folder]).map(|_| ())
    }

    /// Runs doveadm against this bed.
    pub fn doveadm(&self, arguments: &[&str]) -> Result<String, String> {
        self.doveadm_with(arguments, b"")
    }

    fn doveadm_with(&self, arguments: &[&str], input: &[u8]) -> Result<String, String> {
        let mut command = Command::new("doveadm");
        command.args(["-c", &self.path("dc/dovecot.conf")]).args(arguments);
        run_with(command, input)
    }

    /// Renumbers a folder of an account: a new UIDVALIDITY, new UIDs, the same mails with the same dates.
    pub fn renumber(&self, account: &str, folder: &str) -> Result<(), String> {
        let mail = self.folder.join("dc/mail").join(account);
        let place = if folder == "INBOX" { mail } else { mail.join(format!(".{folder}")) };
        // Dovecot takes the second of the renumbering as new UIDVALIDITY; two in one second would be the same.
        let before = self.doveadm(&["mailbox", "status", "-u", account, "uidvalidity", folder])?;
        for _ in 0..40 {
            for file in std::fs::read_dir(&place).map_err(|error| error.to_string())?.flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                if name.starts_with("dovecot-uidlist")
                    || name.starts_with("dovecot.index")
                    || name == "dovecot-uidvalidity"
                    || name.starts_with("dovecot-uidvalidity.")
                {
                    let _may_be_gone = std::fs::remove_file(file.path());
                }
            }
            if self.doveadm(&["mailbox", "status", "-u", account, "uidvalidity", folder])? != before {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("Dovecot keeps the old UIDVALIDITY".to_owned())
    }

    /// How many mails lie in a folder of an account.
    pub fn count(&self, account: &str, folder: &str) -> Result<usize, String> {
        let found = self.doveadm(&["search", "-u", account, "mailbox", folder])?;
        Ok(found.lines().filter(|line| !line.trim().is_empty()).count())
    }

    /// Postfix tries everything that waits, now.
    pub fn flush(&self) {
        let mut command = Command::new("postqueue");
        command.args(["-c", &self.path("pf/conf"), "-f"]);
        let _nothing_may_wait = run_with(command, b"");
    }

    /// Ends all open IMAP connections of all accounts.
    pub fn kick(&self) {
        let _nobody_there = self.doveadm(&["kick", "*"]);
    }

    /// What the servers wrote, for a failing test.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for name in ["dc/dovecot.log", "pf/maillog"] {
            let _always_fits =
                writeln!(text, "== {name}\n{}", std::fs::read_to_string(self.folder.join(name)).unwrap_or_default());
        }
        text
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let log = std::fs::File::create(self.folder.join(format!("{program}.out"))).map_err(|error| error.to_string())?;
        let also = log.try_clone().map_err(|error| error.to_string())?;
        // A file, not a pipe: what stays running would keep a pipe open for ever.
        let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(log).stderr(also).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let said = std::fs::read_to_string(self.folder.join(format!("{program}.out"))).unwrap_or_default();
                Err(format!("{program} ended with {status}: {said}{}", self.logs()))
            }
            Err(error) => Err(format!("{program} cannot be started: {error}")),
        }
    }

    fn write_files(&self, options: &BedOptions) -> std::io::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let dir = &self.folder;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))?;
        for name in ["dc/run", "dc/mail", "dc/keys/default/HS256", "pf/queue", "pf/data", "pf/conf"] {
            std::fs::create_dir_all(dir.join(name))?;
        }
        self.make_certificate()?;
        std::fs::write(dir.join("dc/keys/default/HS256/default"), base64(TOKEN_SECRET))?;
        std::fs::write(dir.join("dc/dovecot.conf"), self.dovecot_conf(options))?;
        std::fs::write(
            dir.join("dc/oauth2.conf.ext"),
            format!(
                "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={}/dc/keys/\nusername_attribute = email\n",
                dir.display()
            ),
        )?;
        let mut accounts = String::new();
        for name in
            ["support@shop.test", "sales@shop.test", "other@shop.test", "alice@cust.test", "bob@cust.test", "vacation@cust.test"]
        {
            // Without the trailing colons the user data base has no such account.
            let _always_fits = writeln!(accounts, "{name}:{{PLAIN}}{PASSWORD}::::::");
        }
        let _always_fits = writeln!(accounts, "umlaut@shop.test:{{PLAIN}}pässwort \"1\"::::::");
        std::fs::write(dir.join("dc/users"), accounts)?;
        std::fs::write(dir.join("pf/conf/main.cf"), self.main_cf(options))?;
        std::fs::write(dir.join("pf/conf/master.cf"), self.master_cf())?;
        std::fs::write(dir.join("dnsmasq.conf"), self.dnsmasq_conf(options))?;
        for (owner, name) in [("dovecot:dovecot", "dc/mail"), ("postfix", "pf/data")] {
            Command::new("chown").args(["-R", owner]).arg(dir.join(name)).status()?;
        }
        Ok(())
    }

    fn make_certificate(&self) -> std::io::Result<()> {
        let openssl = |arguments: &[&str]| {
            Command::new("openssl")
                .args(arguments)
                .current_dir(&self.folder)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
        };
        std::fs::write(self.folder.join("san.cnf"), "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")?;
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=mail bed",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ])?;
        openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "key.pem",
            "-out",
            "req.pem",
        ])?;
        openssl(&[
            "x509",
            "-req",
            "-in",
            "req.pem",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san.cnf",
            "-out",
            "cert.pem",
        ])?;
        Ok(())
    }

    fn dovecot_conf(&self, options: &BedOptions) -> String {
        let dir = self.folder.display();
        let capability = if options.hidden_capabilities.is_empty() {
            String::new()
        } else {
            // Everything that Dovecot announces after the sign-in, without the hidden ones.
            let all = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SPECIAL-USE QUOTA THREAD=REFERENCES UIDPLUS LIST-EXTENDED ESEARCH CONDSTORE QRESYNC LITERAL+";
            let kept: Vec<&str> =
                all.split(' ').filter(|word| !options.hidden_capabilities.iter().any(|hidden| hidden == word)).collect();
            format!("imap_capability = {}\n", kept.join(" "))
        };
        format!(
            r#"base_dir = {dir}/dc/run
state_dir = {dir}/dc/run
log_path = {dir}/dc/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
auth_mechanisms = plain login xoauth2 oauthbearer
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{dir}/dc/mail/%u
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
mail_max_userip_connections = 100
default_process_limit = 200
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/dc/oauth2.conf.ext
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u {dir}/dc/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {dir}/dc/users
  default_fields = uid=dovecot gid=dovecot home={dir}/dc/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {sasl}
  }}
  unix_listener auth-userdb {{
    mode = 0666
  }}
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
    special_use = \Sent
  }}
  mailbox Junk {{
    auto = create
    special_use = \Junk
  }}
}}
{capability}protocol lmtp {{
  postmaster_address = postmaster@shop.test
  recipient_delimiter = +
  lmtp_save_to_detail_mailbox = {detail}
}}
"#,
            detail = if options.files_sent_copies { "yes" } else { "no" },
            imap = self.imap_port,
            imaps = self.imaps_port,
            lmtp = self.lmtp_port,
            sasl = self.sasl_port,
        )
    }

    fn main_cf(&self, options: &BedOptions) -> String {
        let dir = self.folder.display();
        let mut domains = vec!["shop.test".to_owned(), "cust.test".to_owned()];
        let mut transports = String::new();
        for (domain, port) in &options.lmtp_domains {
            if !domains.contains(domain) {
                domains.push(domain.clone());
            }
            let _always_fits = write!(transports, " {{ {domain} = lmtp:inet:127.0.0.1:{port} }}");
        }
        let transport_maps =
            if transports.is_empty() { String::new() } else { format!("transport_maps = inline:{{{transports} }}\n") };
        let copies = if options.files_sent_copies {
            // Dovecot files mail to the detail `Sent` into the folder of that name.
            "sender_bcc_maps = static:support+Sent@shop.test\n"
        } else {
            ""
        };
        let on_top = options
            .header_on_top
            .as_ref()
            .map(|header| format!("smtpd_data_restrictions = check_client_access static:{{PREPEND {header}}}\n"))
            .unwrap_or_default();
        format!(
            r#"compatibility_level = 3.6
queue_directory = {dir}/pf/queue
data_directory = {dir}/pf/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.shop.test
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
{transport_maps}{copies}{on_top}recipient_delimiter = +
lmtp_send_xforward_command = yes
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
lmtp_destination_concurrency_failed_cohort_limit = 0
default_transport = error:5.1.2 no outside mail in tests
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_tls_cert_file = {dir}/cert.pem
smtpd_tls_key_file = {dir}/key.pem
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = 78643200
mailbox_size_limit = 0
maillog_file_prefixes = {dir}, /var, /dev/stdout
maillog_file = {dir}/pf/maillog
"#,
            domains = domains.join(", "),
            lmtp = self.lmtp_port,
            sasl = self.sasl_port,
        )
    }

    fn master_cf(&self) -> String {
        format!(
            "127.0.0.1:{} inet n - n - - smtpd
127.0.0.1:{} inet n - n - - smtpd
  -o smtpd_tls_security_level=may
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
",
            self.smtp_port, self.submission_port
        )
    }

    fn dnsmasq_conf(&self, options: &BedOptions) -> String {
        let mut text = format!(
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nlocal=/test/\n\
             txt-record=cust.test,\"v=spf1 ip4:127.0.0.1 -all\"\ntxt-record=_dmarc.cust.test,\"v=DMARC1; p=reject; adkim=s\"\n",
            self.dns_port
        );
        for line in &options.dns_lines {
            let _always_fits = writeln!(text, "{line}");
        }
        text
    }
}

impl Drop for MailBed {
    fn drop(&mut self) {
        // Each by what this bed started itself, never by name.
        let quiet = |program: &str, arguments: &[&str]| {
            let _best_effort =
                Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        };
        quiet("doveadm", &["-c", &self.path("dc/dovecot.conf"), "stop"]);
        quiet("postfix", &["-c", &self.path("pf/conf"), "stop"]);
        if let Ok(pid) = std::fs::read_to_string(self.folder.join("dnsmasq.pid")) {
            quiet("kill", &[pid.trim()]);
        }
        if std::env::var_os("CONTINUO_KEEP_MAILBED").is_none() {
            let _best_effort = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// What this computer lacks for a bed, in one sentence.
pub fn missing() -> Result<(), String> {
    let found = |program: &str| {
        ["/usr/sbin", "/usr/bin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"]
            .iter()
            .any(|place| Path::new(place).join(program).exists())
    };
    let packages = [
        ("dovecot", "dovecot-imapd dovecot-lmtpd"),
        ("postfix", "postfix"),
        ("dnsmasq", "dnsmasq-base"),
        ("swaks", "swaks"),
        ("openssl", "openssl"),
    ];
    let lacking: Vec<&str> = packages.iter().filter(|(program, _)| !found(program)).map(|(_, package)| *package).collect();
    if !lacking.is_empty() {
        return Err(format!(
            "the mail tests need these Debian packages: {} (scripts/install-test-deps.sh installs them)",
            lacking.join(" ")
        ));
    }
    let root = std::fs::metadata("/proc/self").is_ok_and(|about| {
        use std::os::unix::fs::MetadataExt;
        about.uid() == 0
    });
    if root {
        Ok(())
    } else {
        Err("the mail tests start Dovecot and Postfix, which need root: run them as root or in a container".to_owned())
    }
}

fn new_folder() -> Result<PathBuf, String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Short: the path of a Unix socket holds 108 bytes.
    let folder = std::env::temp_dir().join(format!("mb-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst)));
    let _left_by_a_dead_run = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| format!("no folder for the mail bed: {error}"))?;
    Ok(folder)
}

/// Ports that are free for TCP and UDP now. Held open together, so that all differ; below those that the system gives to
/// connections going out, one of which could take a port between this look and the server's start.
fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    use std::hash::{BuildHasher, Hasher};
    let mut held = Vec::new();
    for _ in 0..1_000 {
        if held.len() == count {
            return Ok(held.into_iter().map(|(_, _, port)| port).collect());
        }
        // Differs from call to call and from process to process.
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let port = 10_000 + u16::try_from(random % 22_000).unwrap_or(0);
        if let (Ok(tcp), Ok(udp)) = (TcpListener::bind(("127.0.0.1", port)), UdpSocket::bind(("127.0.0.1", port))) {
            held.push((tcp, udp, port));
        }
    }
    Err("no free ports for the mail bed".to_owned())
}

fn wait_for_port(port: u16) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!("nothing listens on port {port}"))
}

fn run_with(mut command: Command, input: &[u8]) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _may_not_read = stdin.write_all(input);
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{command:?}: {}{text}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn base64(bytes: &[u8]) -> String {
    coded(bytes, b"+/", true)
}

fn coded(bytes: &[u8], last: &[u8; 2], pad: bool) -> String {
    let letters: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(last.iter().copied()).collect();
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n =
            (u32::from(chunk[0]) << 16) | (u32::from(*chunk.get(1).unwrap_or(&0)) << 8) | u32::from(*chunk.get(2).unwrap_or(&0));
        for place in 0..=chunk.len() {
            out.push(char::from(letters[((n >> (18 - 6 * place)) & 63) as usize]));
        }
        if pad {
            out.extend(std::iter::repeat_n('=', 3 - chunk.len()));
        }
    }
    out
}

/// Signs with the openssl program, so that the bed needs no cryptography of its own.
fn jwt(claims: &serde_json::Value) -> String {
    let part = |text: &str| coded(text.as_bytes(), b"-_", false);
    let signed = format!("{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(&claims.to_string()));
    let mut command = Command::new("openssl");
    command
        .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt"])
        .arg(format!("key:{}", String::from_utf8_lossy(TOKEN_SECRET)))
        .arg("-hex");
    let text = run_with(command, signed.as_bytes()).unwrap_or_default();
    let hex = text.trim().rsplit(' ').next().unwrap_or_default();
    let bytes: Vec<u8> = (0..hex.len() / 2).filter_map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect();
    format!("{signed}.{}", coded(&bytes, b"-_", false))
}

/// A plain dialogue with a mail server, line by line.
struct Dialogue {
    stream: TcpStream,
    kept: Vec<u8>,
}

impl Dialogue {
    fn open(port: u16) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(|error| error.to_string())?;
        Ok(Self { stream, kept: vec![] })
    }
    fn answer(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let Some(end) = self.kept.iter().position(|b| *b == b'\n') else {
                let mut some = [0; 4096];
                let count = match self.stream.read(&mut some) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    read => read.map_err(|error| error.to_string())?,
                };
                if count == 0 {
                    return Err(format!("cut after {text:?}"));
                }
                self.kept.extend_from_slice(&some[..count]);
                continue;
            };
            let line: Vec<u8> = self.kept.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let last = line.as_bytes().get(3) != Some(&b'-');
            text.push_str(&line);
            if last {
                return Ok(text);
            }
            text.push('\n');
        }
    }
    fn say(&mut self, line: &str, wants: char) -> Result<String, String> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).map_err(|error| error.to_string())?;
        let answer = self.answer()?;
        if answer.starts_with(wants) { Ok(answer) } else { Err(format!("{line}: {answer}")) }
    }
    fn body(&mut self, mail: &[u8]) -> Result<String, String> {
        let text = String::from_utf8_lossy(mail).into_owned();
        let mut out = Vec::with_capacity(mail.len() + 64);
        // Bytes that are no text go through as they are; lines are only cut at line feeds.
        if text.as_bytes() == mail {
            for line in text.lines() {
                if line.starts_with('.') {
                    out.push(b'.');
                }
                out.extend_from_slice(line.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        } else {
            for line in mail.split(|b| *b == b'\n') {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if line.first() == Some(&b'.') {
                    out.push(b'.');
                }
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
        }
        out.extend_from_slice(b".\r\n");
        self.stream.write_all(&out).map_err(|error| error.to_string())?;
        self.answer()
    }
}

fn lmtp_deliver(port: u16, from: &str, to: &str, mail: &[u8]) -> Result<(), String> {
    let mut dialogue = Dialogue::open(port)?;
    dialogue.answer()?;
    dialogue.say("LHLO outside.test", '2')?;
    dialogue.say(&format!("MAIL FROM:<{from}>"), '2')?;
    dialogue.say(&format!("RCPT TO:<{to}>"), '2')?;
    dialogue.say("DATA", '3')?;
    let answer = dialogue.body(mail)?;
    if answer.starts_with('2') { Ok(()) } else { Err(answer) }
}

/// Sends one mail over plain SMTP; gives the final answer.
pub fn smtp_send(port: u16, from: &str, to: &str, mail: &[u8]) -> Result<String, String> {
    let mut dialogue = Dialogue::open(port)?;
    dialogue.answer()?;
    dialogue.say("EHLO outside.test", '2')?;
    dialogue.say(&format!("MAIL FROM:<{from}>"), '2')?;
    dialogue.say(&format!("RCPT TO:<{to}>"), '2')?;
    dialogue.say("DATA", '3')?;
    dialogue.body(mail)
}

/// What the proxy does to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Cuts each connection after so many bytes from the server.
    CutAfterServerBytes(u64),
    /// Cuts each connection after so many bytes from the client.
    CutAfterClientBytes(u64),
    /// Passes everything until the client has sent the final dot of a mail, then cuts before any answer.
    CutAfterDot,
    /// Cuts when the client sends a line that begins with this word; the line does not arrive.
    CutBefore(&'static str),
    /// Cuts when the server has begun to answer a line that begins with this word: the line arrives, its answer does not.
    CutAnswerTo(&'static str),
    /// Goes dead without a word when the client sends a line that begins with this word; the line does not arrive.
    StallBefore(&'static str),
    /// Passes everything until the client has sent the final dot of a mail, then goes dead without a word.
    StallAfterDot,
    /// Takes what both say and passes nothing on: a dead line that nobody noticed.
    HalfOpen,
    /// Refuses new connections at once.
    Refuse,
}

/// A TCP proxy on loopback that does harm on request.
pub struct FaultProxy {
    /// Where it listens.
    pub port: u16,
    shared: Arc<ProxyShared>,
}

struct ProxyShared {
    upstream: u16,
    fault: Mutex<Fault>,
    stop: AtomicBool,
    // What is cut is taken out, so that the last handle goes and the peer hears a reset, as from a dead computer.
    open: Mutex<BTreeMap<u64, (TcpStream, TcpStream)>>,
    seen: Mutex<Vec<u8>>,
    connections: AtomicU64,
    cuts: AtomicU64,
}

impl FaultProxy {
    /// Stands before a port of this computer.
    pub fn start(upstream: u16) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let shared = Arc::new(ProxyShared {
            upstream,
            fault: Mutex::new(Fault::None),
            stop: AtomicBool::new(false),
            open: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
        });
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if state.stop.load(Ordering::SeqCst) {
                    return;
                }
                state.connections.fetch_add(1, Ordering::SeqCst);
                if state.fault() == Fault::Refuse {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", state.upstream)) else { continue };
                let _hints = (client.set_nodelay(true), server.set_nodelay(true));
                let (Ok(c), Ok(s)) = (client.try_clone(), server.try_clone()) else { continue };
                let number = state.connections.load(Ordering::SeqCst);
                lock(&state.open).insert(number, (c, s));
                let link = Arc::new(Link { number, ..Link::default() });
                let pairs = [(client.try_clone(), server.try_clone(), true), (server.try_clone(), client.try_clone(), false)];
                for (from, to, of_client) in pairs {
                    let (Ok(from), Ok(to)) = (from, to) else { continue };
                    let (state, link) = (Arc::clone(&state), Arc::clone(&link));
                    std::thread::spawn(move || pump(from, to, of_client, &state, &link));
                }
            }
        });
        Ok(Self { port, shared })
    }

    /// From now on, for open and new connections.
    pub fn set(&self, fault: Fault) {
        *lock(&self.shared.fault) = fault;
    }
    /// Cuts all open connections now.
    pub fn cut(&self) {
        for (client, server) in std::mem::take(&mut *lock(&self.shared.open)).into_values() {
            let _already = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
            self.shared.cuts.fetch_add(1, Ordering::SeqCst);
        }
    }
    /// How many connections came.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
    /// How many it has cut.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
    /// Everything that clients have said so far.
    pub fn client_said(&self) -> String {
        String::from_utf8_lossy(&lock(&self.shared.seen)).into_owned()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the listener, which then sees that it is over.
        let _gone = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl ProxyShared {
    fn fault(&self) -> Fault {
        *lock(&self.fault)
    }
}

#[derive(Default)]
struct Link {
    number: u64,
    client_bytes: AtomicU64,
    server_bytes: AtomicU64,
    // The last bytes of the client: commands and the final dot may come in pieces.
    tail: Mutex<Vec<u8>>,
    armed: AtomicBool,
    stalled: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pump(mut from: TcpStream, mut to: TcpStream, of_client: bool, state: &ProxyShared, link: &Link) {
    let cut = |from: &TcpStream, to: &TcpStream| {
        state.cuts.fetch_add(1, Ordering::SeqCst);
        let _already = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
        drop(lock(&state.open).remove(&link.number));
    };
    let mut some = [0; 16 * 1024];
    loop {
        let count = match from.read(&mut some) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => {
                // A half-open line looks open to the other side.
                if state.fault() != Fault::HalfOpen {
                    let _already = to.shutdown(Shutdown::Both);
                    drop(lock(&state.open).remove(&link.number));
                }
                return;
            }
            Ok(count) => count,
        };
        let mut bytes = &some[..count];
        let fault = state.fault();
        if fault == Fault::HalfOpen || link.stalled.load(Ordering::SeqCst) {
            continue;
        }
        let total = if of_client { &link.client_bytes } else { &link.server_bytes };
        let before = total.fetch_add(count as u64, Ordering::SeqCst);
        let limit = match fault {
            Fault::CutAfterClientBytes(limit) if of_client => Some(limit),
            Fault::CutAfterServerBytes(limit) if !of_client => Some(limit),
            _ => None,
        };
        if let Some(limit) = limit
            && before + count as u64 > limit
        {
            let rest = usize::try_from(limit.saturating_sub(before)).unwrap_or(0).min(count);
            bytes = &bytes[..rest];
            let _best_effort = to.write_all(bytes);
            cut(&from, &to);
            return;
        }
        if of_client {
            let mut seen = lock(&state.seen);
            if seen.len() < 4 * 1024 * 1024 {
                seen.extend_from_slice(bytes);
            }
            drop(seen);
            let mut tail = lock(&link.tail);
            tail.extend_from_slice(bytes);
            let keep = tail.len().saturating_sub(4096);
            tail.drain(..keep);
            let word_begins = |word: &str| {
                tail.split(|b| *b == b'\n').rev().take(2).any(|line| {
                    let line = String::from_utf8_lossy(line).to_uppercase();
                    line.starts_with(word) || line.split_once(' ').is_some_and(|(_, rest)| rest.starts_with(word))
                })
            };
            match fault {
                Fault::CutBefore(word) if word_begins(word) => {
                    cut(&from, &to);
                    return;
                }
                Fault::StallBefore(word) if word_begins(word) => {
                    link.stalled.store(true, Ordering::SeqCst);
                    continue;
                }
                Fault::StallAfterDot if tail.ends_with(b"\r\n.\r\n") => link.stalled.store(true, Ordering::SeqCst),
                Fault::CutAnswerTo(word) if word_begins(word) => link.armed.store(true, Ordering::SeqCst),
                Fault::CutAfterDot if tail.ends_with(b"\r\n.\r\n") => link.armed.store(true, Ordering::SeqCst),
                _ => {}
            }
        } else if link.armed.load(Ordering::SeqCst) {
            // The server has heard it and answers: the answer is what gets lost.
            cut(&from, &to);
            return;
        }
        if to.write_all(bytes).is_err() {
            let _already = from.shutdown(Shutdown::Both);
            return;
        }
    }
}
