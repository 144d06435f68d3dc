//! How many jobs of each class run at once. Each class has slots of its own that others never take, so that a flood of bulk
//! work leaves room for the customer who waits.

use std::sync::{Arc, Mutex, PoisonError};
use store::job::JobClass;

pub(crate) struct Slots {
    total: usize,
    reserved: [usize; 3],
    taken: Mutex<[usize; 3]>,
}

/// One taken slot; dropping it gives it back.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    class: JobClass,
}

impl Slots {
    pub(crate) fn new(total: usize, reserved: [usize; 3]) -> Arc<Self> {
        let total = total.max(reserved.iter().sum()).max(1);
        Arc::new(Self { total, reserved, taken: Mutex::new([0; 3]) })
    }
    /// How many more jobs of this class may start now.
    pub(crate) fn free(&self, class: JobClass) -> usize {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut used = taken.iter().sum::<usize>();
        for other in JobClass::ALL.into_iter().filter(|other| *other != class) {
            used += self.reserved[index(other)].saturating_sub(taken[index(other)]);
        }
        self.total.saturating_sub(used)
    }
    pub(crate) fn take(self: &Arc<Self>, class: JobClass) -> Slot {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)[index(class)] += 1;
        Slot { slots: self.clone(), class }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner)[index(self.class)] -= 1;
    }
}

fn index(class: JobClass) -> usize {
    class.priority() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_never_takes_the_slots_of_the_others() {
        let slots = Slots::new(8, [3, 2, 1]);
        assert_eq!(JobClass::ALL.map(|class| slots.free(class)), [5, 4, 3]);
        let bulk: Vec<_> = (0..3).map(|_| slots.take(JobClass::Bulk)).collect();
        assert_eq!(JobClass::ALL.map(|class| slots.free(class)), [3, 2, 0]);
        let now: Vec<_> = (0..3).map(|_| slots.take(JobClass::Now)).collect();
        assert_eq!(JobClass::ALL.map(|class| slots.free(class)), [0, 2, 0]);
        drop(bulk);
        assert_eq!(JobClass::ALL.map(|class| slots.free(class)), [2, 4, 3]);
        drop(now);
        assert_eq!(slots.free(JobClass::Bulk), 3);
    }

    #[test]
    fn there_is_at_least_room_for_what_is_reserved() {
        assert_eq!(Slots::new(0, [1, 1, 1]).free(JobClass::Normal), 1);
        assert_eq!(Slots::new(0, [0, 0, 0]).free(JobClass::Bulk), 1);
    }
}
