//! Stories of the desk on a real database (SQLite, or PostgreSQL when `make test` names one), with FakeChannel as the world.

mod demo;
mod doors;
mod faults;
mod labels;
mod linkage;
mod mailboxes;
mod message_in;
mod outbox_rounds;
mod people_merge;
mod reply_out;
