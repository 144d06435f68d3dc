//! Continuo api.
