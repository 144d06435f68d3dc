//! Stories of the HTTP interface: one file per noun. Desk functions and builders arrange, HTTP acts.

mod drafts;
mod http;
mod openapi;
mod pages;
mod people;
mod roles;
mod settings;
mod setup;
mod sign_in;
