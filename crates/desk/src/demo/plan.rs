//! Decides what will have happened: who writes when about what, who answers, how it stands now. Pure: a plan is played
//! later, and may be played twice.

use super::business::Cast;
use super::dice::Dice;
use super::files::StoredFile;
use super::people::Person;
use super::story::{End, Step, Story};
use model::{Channel, DeliveryState, Priority, Status, Timestamp};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Resolved for longer than this is locked by the product.
const LOCK_AFTER: i64 = 30 * DAY;

/// A name, as shown, with its file.
pub type NamedFile = (String, StoredFile);

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Act {
    /// The customer wrote.
    In { channel: Channel, text: String, file: Option<NamedFile> },
    /// An agent answered.
    Out { agent: usize, channel: Channel, text: String, file: Option<NamedFile>, fate: Fate },
    /// An agent noted, naming colleagues.
    Note { agent: usize, text: String, mentions: Vec<usize> },
    /// A call.
    Call { inbound: bool, agent: Option<usize>, wait_ms: i64, talk_ms: i64 },
    /// Somebody (none: the product) gave it to an agent.
    Assign { by: usize, agent: usize },
    /// Tags were put on.
    Tag { by: usize, names: Vec<&'static str> },
    /// The urgency changed.
    Priority { by: usize, to: Priority },
    /// The status changed; by the product when nobody is named.
    Status { by: Option<usize>, to: Status, until: Option<Timestamp> },
    /// Marked as spam.
    Spam { by: usize },
    /// An agent looked.
    Seen { agent: usize },
    /// An agent began to write.
    Draft { agent: usize, text: &'static str },
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrived, perhaps was read.
    Is(DeliveryState),
    /// The provider refused it.
    Failed,
    /// It may have gone out; nobody knows.
    Uncertain,
    /// A rule held it back.
    Blocked,
    /// It goes out later.
    Later(Timestamp),
}

/// One planned conversation.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Its number.
    pub number: i64,
    /// Who.
    pub person: Person,
    /// Where it began.
    pub channel: Channel,
    /// Number of its team.
    pub team: usize,
    /// Subject, where it began with one.
    pub subject: Option<String>,
    /// What happened, in order.
    pub acts: Vec<(Timestamp, Act)>,
}

/// Plans `count` conversations of the last weeks, oldest first.
pub fn scenes(
    cast: &Cast,
    people: &[Person],
    stories: &[Story],
    dice: &Dice,
    count: u64,
    first: i64,
    now: Timestamp,
) -> Vec<Scene> {
    let mut starts: Vec<Timestamp> = (0..count).map(|n| start_of(cast, &dice.of("start", n), n, count, now)).collect();
    starts.sort_unstable();
    let mut scenes = Vec::with_capacity(starts.len());
    for (n, start) in (0_u64..).zip(starts) {
        let own = dice.of("scene", n);
        let number = first + i64::try_from(n).unwrap_or(0);
        scenes.push(Plan { cast, dice: &own, now, serial: number }.scene(people, stories, start));
    }
    scenes
}

/// Most within opening hours, some at night, a few so long ago that they are locked by now.
fn start_of(cast: &Cast, dice: &Dice, n: u64, count: u64, now: Timestamp) -> Timestamp {
    let age = match n * 100 / count.max(1) {
        0..=2 => dice.between(31 * DAY, 45 * DAY),
        3..=8 => dice.between(20 * MINUTE, 9 * HOUR),
        9..=16 => dice.between(9 * HOUR, 3 * DAY),
        _ => dice.between(2 * DAY, 28 * DAY),
    };
    let at = now.plus_ms(-age);
    if cast.hours.is_open(at) || dice.percent(18) {
        return at;
    }
    let opened = cast.hours.next_open(at).map_or(at, |open| open.plus_ms(dice.between(2, 200) * MINUTE));
    if opened < now.plus_ms(-5 * MINUTE) { opened } else { at }
}

struct Plan<'a> {
    cast: &'a Cast,
    dice: &'a Dice,
    now: Timestamp,
    serial: i64,
}

impl Plan<'_> {
    fn scene(&self, people: &[Person], stories: &[Story], start: Timestamp) -> Scene {
        let (person, story, channel) = self.choose(people, stories, start);
        let team = Cast::team_of(story.team);
        let members = self.cast.members(team);
        let agent = *self.dice.pick(&members);
        let others: Vec<usize> = members.iter().copied().filter(|m| *m != agent).collect();
        let colleague = others.get(self.dice.below(others.len().max(1))).copied().unwrap_or(0);
        let fill = Fill::new(self, &person, agent, colleague);
        let mut told = Told { acts: vec![], at: start, channel, agent, taken: false, complete: true, last_in: true };
        for step in &story.steps {
            if !self.tell(step, story, &person, &fill, colleague, &mut told) {
                told.complete = false;
                break;
            }
        }
        self.close(story, &mut told);
        let subject = story.subject.filter(|_| channel == Channel::Email).map(|s| fill.text(s));
        Scene { number: self.serial, person, channel, team, subject, acts: told.acts }
    }

    /// A story that fits the person's language, and a channel on which the person can be reached.
    fn choose<'s>(&self, people: &[Person], stories: &'s [Story], start: Timestamp) -> (Person, &'s Story, Channel) {
        let fresh = self.now.since(start) < 10 * HOUR;
        for _ in 0..200 {
            let person = self.dice.pick(people);
            let fits = |s: &&Story| s.language == person.language && (fresh || !s.key.starts_with("new-open"));
            let own: Vec<&Story> = stories.iter().filter(fits).collect();
            let story = *self.dice.pick(&own);
            let spam_again = story.end == End::Spam && self.dice.percent(60);
            let ways: Vec<Channel> = story.channels.iter().copied().filter(|c| person.on(*c).is_some()).collect();
            if let (false, false) = (ways.is_empty(), spam_again) {
                return (person.clone(), story, *self.dice.pick(&ways));
            }
        }
        // Two hundred misses in a row: the first person who has a mail address writes a mail.
        let person = people.iter().find(|p| p.on(Channel::Email).is_some()).unwrap_or(&people[0]);
        let channel = person.addresses.first().map_or(Channel::Email, |(channel, _)| *channel);
        (person.clone(), &stories[0], channel)
    }

    /// Plans one step; false when it would lie in the future.
    fn tell(&self, step: &Step, story: &Story, person: &Person, fill: &Fill, colleague: usize, told: &mut Told) -> bool {
        let first = told.acts.is_empty();
        match step {
            Step::Switch(to) => {
                if person.on(*to).is_some() {
                    told.channel = *to;
                }
                return true;
            }
            Step::Customer(ways, file) => {
                let at = if first { told.at } else { told.at.plus_ms(self.customer_takes(told.channel)) };
                if at >= self.now {
                    return false;
                }
                // Nobody types on the phone: what is said there stands in the call.
                let channel = if told.channel == Channel::Voice { self.written(person) } else { told.channel };
                let file = file.map(|name| self.file(name, fill));
                told.push(at, Act::In { channel, text: fill.text(self.dice.pick::<&str>(ways)), file });
                told.last_in = true;
            }
            Step::Agent(ways, file) => {
                let Some(at) = self.take(story, told) else { return false };
                let channel = if told.channel == Channel::Voice { self.written(person) } else { told.channel };
                let file = file.map(|name| self.file(name, fill));
                let fate = self.fate(channel, at);
                told.push(at, Act::Out { agent: told.agent, channel, text: fill.text(self.dice.pick::<&str>(ways)), file, fate });
                told.last_in = false;
            }
            Step::Note(text, mentions) => {
                let Some(at) = self.take(story, told) else { return false };
                let mentions = if *mentions { vec![colleague] } else { vec![] };
                told.push(at, Act::Note { agent: told.agent, text: fill.text(text), mentions });
            }
            Step::Priority(word) => {
                if told.taken {
                    let to = Priority::parse(word).unwrap_or(Priority::High);
                    told.push(told.at.plus_ms(20_000), Act::Priority { by: told.agent, to });
                }
            }
            Step::Call { inbound, answered, seconds } => {
                let Some(at) = self.call_at(*inbound, *answered, first, told) else { return false };
                let (wait_ms, talk_ms) =
                    if *answered { (self.dice.between(4, 70) * 1_000, seconds * 1_000) } else { (seconds * 1_000, 0) };
                if at.plus_ms(wait_ms + talk_ms) >= self.now || person.on(Channel::Voice).is_none() {
                    return person.on(Channel::Voice).is_none();
                }
                let agent = answered.then_some(told.agent);
                told.push(at, Act::Call { inbound: *inbound, agent, wait_ms, talk_ms });
                told.at = at.plus_ms(wait_ms + talk_ms);
                told.last_in = *inbound && !answered;
            }
        }
        true
    }

    fn call_at(&self, inbound: bool, answered: bool, first: bool, told: &Told) -> Option<Timestamp> {
        let at = match (first, inbound) {
            (true, _) => told.at,
            (false, true) => told.at.plus_ms(self.dice.between(1, 5) * HOUR),
            (false, false) => told.at.plus_ms(self.dice.between(20, 240) * MINUTE),
        };
        let at = if answered && !self.cast.hours.is_open(at) {
            self.cast.hours.next_open(at)?.plus_ms(self.dice.between(1, 90) * MINUTE)
        } else {
            at
        };
        (at < self.now).then_some(at)
    }

    /// The time at which an agent acts next, taking the conversation first if nobody has.
    fn take(&self, story: &Story, told: &mut Told) -> Option<Timestamp> {
        let mut at = told.at.plus_ms(self.agent_takes(told.channel));
        if !self.cast.hours.is_open(at) {
            at = self.cast.hours.next_open(at)?.plus_ms(self.dice.between(1, 100) * MINUTE);
        }
        if at >= self.now {
            return None;
        }
        if !told.taken {
            told.taken = true;
            let by = if self.dice.percent(22) { 2 } else { told.agent };
            told.push(
                at.plus_ms(-self.dice.between(5, 50) * 1_000).max(told.at.plus_ms(1)),
                Act::Assign { by, agent: told.agent },
            );
            if self.dice.percent(80) {
                let tagged = at.plus_ms(-3_000).max(told.at.plus_ms(1));
                told.push(tagged, Act::Tag { by: told.agent, names: story.tags.clone() });
            }
            told.push(told.at.plus_ms(1), Act::Seen { agent: told.agent });
        }
        Some(at.max(told.at.plus_ms(1)))
    }

    fn customer_takes(&self, channel: Channel) -> i64 {
        match channel {
            Channel::Email => self.dice.between(15, 1_100) * MINUTE,
            Channel::Webchat => self.dice.between(15, 280) * 1_000,
            _ => self.dice.between(1, 170) * MINUTE,
        }
    }

    fn agent_takes(&self, channel: Channel) -> i64 {
        match channel {
            Channel::Email => self.dice.between(8, 260) * MINUTE,
            Channel::Webchat => self.dice.between(20, 420) * 1_000,
            _ => self.dice.between(2, 75) * MINUTE,
        }
    }

    /// A channel for text, of those that the person has.
    fn written(&self, person: &Person) -> Channel {
        let written = person.addresses.iter().map(|(c, _)| *c).find(|c| *c != Channel::Voice);
        written.unwrap_or(Channel::Sms)
    }

    fn fate(&self, channel: Channel, at: Timestamp) -> Fate {
        let fresh = self.now.since(at) < 2 * DAY;
        match (self.dice.between(1, 200), channel) {
            (1..=2, Channel::Email | Channel::Sms | Channel::Whatsapp) => Fate::Failed,
            (3, c) if c != Channel::Webchat => Fate::Uncertain,
            (4, Channel::Whatsapp | Channel::Messenger | Channel::Instagram) => Fate::Blocked,
            (7..=10, Channel::Webchat) if fresh => {
                Fate::Later(self.cast.hours.next_open(self.now.plus_ms(DAY)).unwrap_or(self.now.plus_ms(DAY)))
            }
            (5..=6, Channel::Email) if fresh => Fate::Is(DeliveryState::Sent),
            (_, Channel::Email | Channel::Sms) => Fate::Is(DeliveryState::Delivered),
            (n, _) if n > 40 => Fate::Is(DeliveryState::Read),
            _ => Fate::Is(DeliveryState::Delivered),
        }
    }

    fn file(&self, name: &str, fill: &Fill) -> NamedFile {
        (fill.text(name), self.cast.drawer.of_name(name, self.dice))
    }

    /// How it stands now.
    fn close(&self, story: &Story, told: &mut Told) {
        let age = self.now.since(told.at);
        let at = told.at.plus_ms(self.dice.between(1, 25) * MINUTE);
        let by = told.agent;
        if story.end == End::Spam {
            if at < self.now {
                told.push(at, Act::Spam { by: 1 });
            }
            return;
        }
        if !told.complete {
            self.leave_open(told, age);
            return;
        }
        if at >= self.now {
            return;
        }
        let wanted = match story.end {
            End::Status(status) => status,
            End::Spam => return,
        };
        // What was put aside weeks ago has come to its end since.
        let settled = age > 12 * DAY || (age > 4 * DAY && self.dice.percent(70));
        let to = match wanted {
            Status::Resolved if age < DAY && self.dice.percent(30) => Status::Pending,
            Status::Open if !settled => return self.leave_open(told, age),
            _ if settled => Status::Resolved,
            other => other,
        };
        match to {
            Status::Snoozed => {
                let until = self
                    .cast
                    .hours
                    .next_open(self.now.plus_ms(self.dice.between(6, 160) * HOUR))
                    .unwrap_or(self.now.plus_ms(DAY));
                told.push(at, Act::Status { by: Some(by), to: Status::Snoozed, until: Some(until) });
            }
            to => told.push(at, Act::Status { by: Some(by), to, until: None }),
        }
        let locked = at.plus_ms(LOCK_AFTER);
        if to == Status::Resolved && locked < self.now {
            told.push(
                locked.plus_ms(self.dice.between(1, 50) * MINUTE).min(self.now.plus_ms(-1)),
                Act::Status { by: None, to: Status::Closed, until: None },
            );
        }
    }

    /// Somebody should answer; a few have begun to.
    fn leave_open(&self, told: &mut Told, age: i64) {
        let soon = told.at.plus_ms(self.dice.between(1, 9) * MINUTE);
        if soon >= self.now {
            return;
        }
        if told.last_in && told.taken && self.dice.percent(45) {
            told.push(soon, Act::Seen { agent: told.agent });
            if told.agent == 0 || self.dice.percent(25) {
                told.push(
                    soon,
                    Act::Draft { agent: told.agent, text: "Hi, thanks for your patience. I have just asked the workshop and" },
                );
            }
        }
        if !told.last_in && age > 6 * HOUR {
            told.push(soon, Act::Status { by: Some(told.agent), to: Status::Pending, until: None });
        }
    }
}

/// What was planned so far.
struct Told {
    acts: Vec<(Timestamp, Act)>,
    at: Timestamp,
    channel: Channel,
    agent: usize,
    taken: bool,
    complete: bool,
    last_in: bool,
}

impl Told {
    fn push(&mut self, at: Timestamp, act: Act) {
        let at = at.max(self.at);
        self.at = at;
        self.acts.push((at, act));
    }
}

/// The words behind the places of a text.
pub struct Fill(Vec<(&'static str, String)>);

const BIKES: [&str; 8] = [
    "Nordlicht Trekking",
    "Fjord E-City",
    "Granit Gravel",
    "Deich Cargo",
    "Möwe Road",
    "Watt Trail 29",
    "Hansekogge Tour",
    "Nordlicht E-SUV",
];
const PARTS: [&str; 10] = [
    "a rear light",
    "the 12-speed chain",
    "two brake pads",
    "the child seat",
    "a saddle bag",
    "the battery lock",
    "a pair of tyres",
    "the rack",
    "a bottle cage",
    "the helmet mirror",
];
const CLOTHES: [&str; 5] = ["rain jacket", "jersey", "winter gloves", "bib shorts", "wind vest"];
const DAYS: [&str; 6] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const TAGE: [&str; 6] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"];
const DIAS: [&str; 6] = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado"];
const AYYAM: [&str; 6] = ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"];
const MONTHS: [&str; 5] = ["March", "April", "June", "August", "September"];
const SIZES: [&str; 5] = ["S", "M", "L", "XL", "54"];
const ERSATZTEILE: [&str; 4] = ["ein Rücklicht", "einen Satz Bremsbeläge", "eine 12-fach-Kette", "ein Schloss"];

impl Fill {
    fn new(plan: &Plan<'_>, person: &Person, agent: usize, colleague: usize) -> Self {
        let dice = plan.dice;
        let first_name = |n: usize| plan.cast.agents[n].who.name.split(' ').next().unwrap_or_default().to_owned();
        let (days, part) = match person.language {
            "de" => (&TAGE, *dice.pick(&ERSATZTEILE)),
            "es" => (&DIAS, *dice.pick(&PARTS)),
            "ar" => (&AYYAM, *dice.pick(&PARTS)),
            _ => (&DAYS, *dice.pick(&PARTS)),
        };
        let company = person.company.unwrap_or("Hafen Logistik GmbH");
        Self(vec![
            ("first", person.first.to_owned()),
            ("agent", first_name(agent)),
            ("colleague", first_name(colleague)),
            ("order", format!("VN-{}", 20_000 + plan.serial * 7 % 70_000)),
            ("number", format!("{}", 4_000 + plan.serial)),
            ("code", format!("SPRING{}", dice.between(10, 99))),
            ("bike", (*dice.pick(&BIKES)).to_owned()),
            ("part", part.to_owned()),
            ("apparel", (*dice.pick(&CLOTHES)).to_owned()),
            ("day", (*dice.pick(days)).to_owned()),
            ("month", (*dice.pick(&MONTHS)).to_owned()),
            ("size", (*dice.pick(&SIZES)).to_owned()),
            ("height", dice.between(158, 196).to_string()),
            ("inseam", dice.between(72, 94).to_string()),
            ("small", dice.between(4, 15).to_string()),
            ("price", format!("€{}.{}0", dice.between(12, 480), dice.between(0, 9))),
            ("serial", format!("VN{}K{}", dice.between(100, 999), dice.between(1_000, 9_999))),
            ("company", company.to_owned()),
        ])
    }

    fn text(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (place, word) in &self.0 {
            if text.contains(place) {
                text = text.replace(&format!("{{{place}}}"), word);
            }
        }
        text
    }
}
