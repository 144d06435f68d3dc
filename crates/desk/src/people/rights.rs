//! What a role may do: one function per right of the table in docs/DOMAIN (roles), so that a right is asked by name and
//! a change of the table is a change of one line.

use model::Role;

/// Reply, note, assign, tag, move, split and merge conversations.
pub fn may_answer(role: Role) -> bool {
    role.at_least(Role::Agent)
}
/// Edit a customer, merge and separate contacts.
pub fn may_edit_contacts(role: Role) -> bool {
    role.at_least(Role::Agent)
}
/// Block a customer, mark as spam.
pub fn may_block(role: Role) -> bool {
    role.at_least(Role::Agent)
}
/// Read why something is in quarantine, release or dismiss it.
pub fn may_see_quarantine(role: Role) -> bool {
    role.at_least(Role::Supervisor)
}
/// See inboxes that are not their own, as far as their teams work in them.
pub fn may_see_inboxes_of_teams(role: Role) -> bool {
    role.at_least(Role::Supervisor)
}
/// See every inbox and every conversation.
pub fn may_see_everything(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Share a saved view with everybody.
pub fn may_share_views(role: Role) -> bool {
    role.at_least(Role::Supervisor)
}
/// Black out the content of an entry.
pub fn may_redact(role: Role) -> bool {
    role.at_least(Role::Supervisor)
}
/// Connect and set up inboxes, their hours and their secrets.
pub fn may_set_up_inboxes(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Name, colour and time zone of the workspace, opening hours.
pub fn may_set_up_workspace(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Invite agents, give roles (up to admin), archive, make teams.
pub fn may_manage_agents(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Download raw events as they came in.
pub fn may_download_raw(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// See the health page, and start again what was given up.
pub fn may_see_health(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Take people's data out: one person's, or a list.
pub fn may_export(role: Role) -> bool {
    role.at_least(Role::Supervisor)
}
/// Take in files of people, and take such an import back.
pub fn may_import(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Erase a customer.
pub fn may_erase(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Make fields of customers; say that an address is used by several people; compare all customers anew.
pub fn may_set_up_contacts(role: Role) -> bool {
    role.at_least(Role::Admin)
}
/// Make or remove owners.
pub fn may_manage_owners(role: Role) -> bool {
    role.at_least(Role::Owner)
}

/// May somebody with `role` give another the role `given`, or take it away?
pub fn may_give(role: Role, given: Role) -> bool {
    may_manage_agents(role) && (given < Role::Owner || may_manage_owners(role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_owner_makes_owners() {
        assert!(may_give(Role::Owner, Role::Owner) && may_give(Role::Admin, Role::Admin));
        assert!(!may_give(Role::Admin, Role::Owner) && !may_give(Role::Supervisor, Role::Agent));
    }

    #[test]
    fn each_role_has_at_least_the_rights_of_the_one_below() {
        let rights: [fn(Role) -> bool; 18] = [
            may_answer,
            may_edit_contacts,
            may_block,
            may_see_quarantine,
            may_see_inboxes_of_teams,
            may_see_everything,
            may_share_views,
            may_redact,
            may_set_up_inboxes,
            may_set_up_workspace,
            may_manage_agents,
            may_download_raw,
            may_see_health,
            may_export,
            may_import,
            may_erase,
            may_set_up_contacts,
            may_manage_owners,
        ];
        for right in rights {
            let allowed: Vec<bool> = Role::ALL.iter().map(|role| right(*role)).collect();
            assert!(allowed.is_sorted(), "a higher role lost a right");
            assert!(allowed[3], "the owner may do everything");
        }
    }
}
