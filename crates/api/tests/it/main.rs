//! Stories of the HTTP interface: one file per noun. Desk functions and builders arrange, HTTP acts.

#![expect(clippy::unwrap_used, reason = "a story that meets something else than it tells has failed")]

mod admin;
mod channel;
mod channel_clients;
mod chat;
mod chat_by_mail;
mod contacts;
mod cuts;
mod drafts;
mod files;
mod handoff;
mod http;
mod lists;
mod listen;
mod live;
mod mail_words;
mod mailboxes;
mod openapi;
mod pages;
mod people;
mod roles;
mod search;
mod served;
mod settings;
mod setup;
mod sign_in;
mod sockets;
mod widget;
