//! Stories of the desk on a real database (SQLite, or PostgreSQL when `make test` names one), with FakeChannel as the world.

mod automatic;
mod chat_by_mail;
mod compose;
mod demo;
mod doors;
mod faults;
mod labels;
mod linkage;
mod mailboxes;
mod mail_out;
mod message_in;
mod outbox_rounds;
mod people_files;
mod people_history;
mod people_merge;
mod placement;
mod reply_out;
