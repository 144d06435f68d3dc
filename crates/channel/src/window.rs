//! When may we write? A pure function of the rule, who writes, when the customer last wrote, and now (channels.md 7).

use crate::{Blocked, Fix};
use model::Timestamp;
use model::words::{AuthorKind, BlockReason};
use serde::{Deserialize, Serialize};

/// From how long before its end a window is shown as closing.
pub const CLOSING_MS: i64 = 4 * 3_600_000;

/// The rule of an inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowRule {
    /// Always open.
    #[default]
    None,
    /// Open for a while after the customer's last message, longer for persons, then only by template or not at all.
    Sliding {
        /// How long everybody may write.
        free_ms: i64,
        /// How long persons may write (Messenger's HUMAN_AGENT); at least `free_ms`.
        human_until_ms: Option<i64>,
        /// What remains afterwards.
        then: AfterWindow,
    },
    /// Open, but paid for outside the window.
    PaidOutside {
        /// How long writing is free.
        free_ms: i64,
    },
}

/// What remains when a sliding window has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterWindow {
    /// Approved templates.
    Template,
    /// Nothing.
    Blocked,
}

/// Where the window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowState {
    /// Open for everybody, until then (`None` = without end).
    Free(Option<Timestamp>),
    /// Open for persons, until then. Only they ever see this: for a machine it is closed.
    HumanOnly(Timestamp),
    /// Only approved templates.
    TemplateOnly,
    /// Open, and it costs.
    Paid,
    /// Nothing may go.
    Closed,
}

/// The state of a window. `last_inbound` is the customer's last message to this inbox; a window ends *at* its end
/// (the provider's clock decides there, so the last millisecond is not ours). A message from the future opens it now.
pub fn window(rule: WindowRule, author: AuthorKind, last_inbound: Option<Timestamp>, now: Timestamp) -> WindowState {
    let since = last_inbound.map(|at| at.min(now));
    let open_until = |ms: i64| since.map(|at| at.plus_ms(ms)).filter(|end| now < *end);
    match rule {
        WindowRule::None => WindowState::Free(None),
        WindowRule::PaidOutside { free_ms } => open_until(free_ms).map_or(WindowState::Paid, |end| WindowState::Free(Some(end))),
        WindowRule::Sliding { free_ms, human_until_ms, then } => {
            if let Some(end) = open_until(free_ms) {
                return WindowState::Free(Some(end));
            }
            match human_until_ms.and_then(open_until) {
                Some(end) if author == AuthorKind::Agent => WindowState::HumanOnly(end),
                _ if then == AfterWindow::Template => WindowState::TemplateOnly,
                _ => WindowState::Closed,
            }
        }
    }
}

impl WindowState {
    /// When what is open now closes.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Free(until) => until,
            Self::HumanOnly(until) => Some(until),
            Self::TemplateOnly | Self::Paid | Self::Closed => None,
        }
    }
    /// Is it about to close?
    pub fn closes_soon(self, now: Timestamp) -> bool {
        self.until().is_some_and(|until| until.since(now) <= CLOSING_MS)
    }
    /// May this go now? `template`: the entry is a template. `templates`: the inbox has some.
    pub fn admit(self, template: bool, templates: bool) -> Result<(), Blocked> {
        match self {
            Self::Free(_) | Self::HumanOnly(_) | Self::Paid => Ok(()),
            Self::TemplateOnly if template => Ok(()),
            Self::TemplateOnly if templates => Err(Blocked::because(BlockReason::TemplateRequired).fixed_by(Fix::UseTemplate)),
            Self::TemplateOnly | Self::Closed => Err(Blocked::because(BlockReason::WindowClosed).fixed_by(Fix::SwitchChannel)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AuthorKind::{Agent, Bot};

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const MESSENGER: WindowRule = WindowRule::Sliding { free_ms: DAY, human_until_ms: Some(7 * DAY), then: AfterWindow::Blocked };
    const WHATSAPP: WindowRule = WindowRule::Sliding { free_ms: DAY, human_until_ms: None, then: AfterWindow::Template };

    #[test]
    fn each_rule_at_its_edges() {
        let written = Timestamp(1_000 * DAY);
        let after = |ms| written.plus_ms(ms);
        let cases = [
            (WindowRule::None, Bot, None, after(0), WindowState::Free(None)),
            (MESSENGER, Bot, Some(written), after(DAY - 1), WindowState::Free(Some(after(DAY)))),
            (MESSENGER, Agent, Some(written), after(DAY - 1), WindowState::Free(Some(after(DAY)))),
            (MESSENGER, Agent, Some(written), after(DAY), WindowState::HumanOnly(after(7 * DAY))),
            (MESSENGER, Bot, Some(written), after(DAY), WindowState::Closed),
            (MESSENGER, AuthorKind::System, Some(written), after(DAY), WindowState::Closed),
            (MESSENGER, Agent, Some(written), after(7 * DAY - 1), WindowState::HumanOnly(after(7 * DAY))),
            (MESSENGER, Agent, Some(written), after(7 * DAY), WindowState::Closed),
            (MESSENGER, Agent, None, after(0), WindowState::Closed),
            (WHATSAPP, Agent, Some(written), after(DAY), WindowState::TemplateOnly),
            (WHATSAPP, Agent, None, after(0), WindowState::TemplateOnly),
            (WHATSAPP, Agent, Some(after(HOUR)), after(0), WindowState::Free(Some(after(DAY)))),
            (WindowRule::PaidOutside { free_ms: DAY }, Bot, Some(written), after(DAY), WindowState::Paid),
            (WindowRule::PaidOutside { free_ms: DAY }, Bot, Some(written), after(1), WindowState::Free(Some(after(DAY)))),
        ];
        for (rule, author, last, now, expected) in cases {
            assert_eq!(window(rule, author, last, now), expected, "{rule:?} {author} {last:?} {now}");
        }
    }

    #[test]
    fn the_countdown_starts_four_hours_before_the_end() {
        let end = Timestamp(10 * DAY);
        assert!(!WindowState::Free(Some(end)).closes_soon(end.plus_ms(-4 * HOUR - 1)));
        assert!(WindowState::Free(Some(end)).closes_soon(end.plus_ms(-4 * HOUR)));
        assert!(WindowState::HumanOnly(end).closes_soon(end.plus_ms(-1)));
        assert!(!WindowState::Free(None).closes_soon(end));
    }

    #[test]
    fn a_closed_window_says_what_is_left() {
        assert_eq!(WindowState::TemplateOnly.admit(true, true), Ok(()));
        assert_eq!(WindowState::TemplateOnly.admit(false, true).unwrap_err().reason, BlockReason::TemplateRequired);
        assert_eq!(WindowState::TemplateOnly.admit(false, false).unwrap_err().reason, BlockReason::WindowClosed);
        assert_eq!(WindowState::Closed.admit(true, true).unwrap_err().reason, BlockReason::WindowClosed);
        assert_eq!(WindowState::Paid.admit(false, false), Ok(()));
    }
}
