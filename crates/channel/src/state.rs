//! The lattice of delivery states: the maximum of a rank, so that duplicates and any order of reports give one answer.

use model::words::DeliveryState;

/// What a delivery is after a report. States without a rank (`blocked`, `leased`, ..) belong to the outbox row: they
/// never override a report, and a report always overrides them.
pub fn merge(old: DeliveryState, incoming: DeliveryState) -> DeliveryState {
    match (old.rank(), incoming.rank()) {
        (Some(have), Some(got)) if got > have => incoming,
        (None, Some(_)) => incoming,
        _ => old,
    }
}

/// One part of an entry: its last attempt, merged over all reports about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartState {
    /// Merged state.
    pub state: DeliveryState,
    /// The request went out and the answer never came. Any report settles it.
    pub uncertain: bool,
}

impl PartState {
    /// A part in a state, with nothing in doubt.
    pub fn certain(state: DeliveryState) -> Self {
        Self { state, uncertain: false }
    }
    /// This part after a report.
    pub fn merge(self, report: Self) -> Self {
        Self { state: merge(self.state, report.state), uncertain: self.uncertain || report.uncertain }.settled()
    }
    // A state above `queued` is an answer of the provider, whichever way it came: the doubt is gone.
    fn settled(self) -> Self {
        Self { uncertain: self.uncertain && self.state.rank().is_none_or(|rank| rank == 0), ..self }
    }
    fn was_taken(self) -> bool {
        self.state != DeliveryState::Failed && self.state.rank().is_some_and(|rank| rank >= 1)
    }
}

/// All parts of an entry in one word for screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combined {
    /// `Failed` when any part failed, else the lowest part.
    pub state: DeliveryState,
    /// Some part may have been sent.
    pub uncertain: bool,
    /// Parts that the provider took.
    pub parts_sent: u32,
    /// All parts.
    pub parts_total: u32,
}

/// Combines the parts of an entry ("failed, 2 of 3 parts sent"). No part at all is `Queued`.
pub fn combine(parts: &[PartState]) -> Combined {
    let rank = |part: &PartState| part.state.rank().unwrap_or(-1);
    let failed = parts.iter().any(|part| part.state == DeliveryState::Failed);
    let lowest = parts.iter().min_by_key(|part| rank(part)).map_or(DeliveryState::Queued, |part| part.state);
    Combined {
        state: if failed { DeliveryState::Failed } else { lowest },
        uncertain: parts.iter().any(|part| part.settled().uncertain),
        parts_sent: count(parts.iter().filter(|part| part.was_taken()).count()),
        parts_total: count(parts.len()),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryState::{Accepted, Blocked, Delivered, Failed, Leased, Queued, Read, Sent};
    use proptest::prelude::*;

    #[test]
    fn reports_only_move_a_state_up() {
        let cases = [
            (Queued, Accepted, Accepted),
            (Delivered, Sent, Delivered),
            (Sent, Failed, Failed),
            (Failed, Sent, Failed),
            (Failed, Delivered, Delivered),
            (Delivered, Failed, Delivered),
            (Read, Queued, Read),
            (Leased, Accepted, Accepted),
            (Blocked, Read, Read),
            (Accepted, Leased, Accepted),
            (Leased, Blocked, Leased),
        ];
        for (old, incoming, new) in cases {
            assert_eq!(merge(old, incoming), new, "{old} then {incoming}");
        }
    }

    #[test]
    fn parts_combine_to_what_an_agent_must_know() {
        let parts = |states: &[DeliveryState]| states.iter().copied().map(PartState::certain).collect::<Vec<_>>();
        let sum = |states: &[DeliveryState]| {
            let c = combine(&parts(states));
            (c.state, c.parts_sent, c.parts_total)
        };
        assert_eq!(sum(&[]), (Queued, 0, 0));
        assert_eq!(sum(&[Read, Sent, Delivered]), (Sent, 3, 3));
        assert_eq!(sum(&[Delivered, Failed, Sent]), (Failed, 2, 3));
        assert_eq!(sum(&[Delivered, Queued]), (Queued, 1, 2));
        assert_eq!(sum(&[Leased, Delivered]), (Leased, 1, 2));
    }

    #[test]
    fn any_report_settles_a_doubt() {
        let doubt = PartState { state: Queued, uncertain: true };
        assert!(combine(&[doubt, PartState::certain(Sent)]).uncertain);
        assert_eq!(doubt.merge(PartState::certain(Delivered)), PartState::certain(Delivered));
        assert_eq!(PartState::certain(Delivered).merge(doubt), PartState::certain(Delivered));
        assert!(doubt.merge(PartState::certain(Queued)).uncertain);
    }

    fn ranked() -> impl Strategy<Value = DeliveryState> {
        prop::sample::select(vec![Queued, Accepted, Sent, Failed, Delivered, Read])
    }
    fn part() -> impl Strategy<Value = PartState> {
        (ranked(), any::<bool>()).prop_map(|(state, uncertain)| PartState { state, uncertain })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_order_with_any_duplicates_gives_one_result(
            (reports, again) in prop::collection::vec(part(), 1..12).prop_flat_map(|reports| {
                let repeated: Vec<PartState> = reports.iter().chain(&reports).chain(&reports).copied().collect();
                (Just(reports), Just(repeated).prop_shuffle())
            })
        ) {
            let start = PartState::certain(Queued);
            let once = reports.iter().fold(start, |state, report| state.merge(*report));
            let shuffled = again.iter().fold(start, |state, report| state.merge(*report));
            prop_assert_eq!(once, shuffled);
        }

        #[test]
        fn merging_is_commutative_associative_and_idempotent(a in part(), b in part(), c in part()) {
            prop_assert_eq!(merge(a.state, b.state), merge(b.state, a.state));
            prop_assert_eq!(a.merge(b).merge(c), a.merge(b.merge(c)));
            prop_assert_eq!(a.merge(b), a.merge(b).merge(b));
        }

        #[test]
        fn the_order_of_parts_does_not_matter(
            (parts, mixed) in prop::collection::vec(part(), 0..8).prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle()))
        ) {
            prop_assert_eq!(combine(&parts), combine(&mixed));
        }
    }
}
