//! The open API channel: messages from any system by HTTP, answers and delivery requests back by signed webhook.
