import type { Locale } from "../shared/locale";

/** [open, close, new messages]. The loader has no room for plural rules, so the words avoid them. */
export const labels: Record<Locale, [string, string, string]> = {
  en: ["Open chat", "Close chat", "New messages: {n}"],
  de: ["Chat öffnen", "Chat schließen", "Neue Nachrichten: {n}"],
  es: ["Abrir chat", "Cerrar chat", "Mensajes nuevos: {n}"],
  fr: ["Ouvrir le chat", "Fermer le chat", "Nouveaux messages : {n}"],
  ar: ["فتح الدردشة", "إغلاق الدردشة", "رسائل جديدة: {n}"],
};
