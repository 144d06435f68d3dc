import { en, type Text } from "./en";

/** Arabic, a preview: the words met most often, the rest in English. It exists first of all so that right-to-left is seen every day. */
export const ar: Text = {
  ...en,
  close: "إغلاق", cancel: "إلغاء", save: "حفظ", edit: "تعديل", open: "فتح", copy: "نسخ", copied: "تم النسخ", undo: "تراجع", retry: "أعد المحاولة", more: "المزيد", name: "الاسم", you: "أنت", me: "أنا", nobody: "لا أحد", team: "الفريق", yesterday: "أمس", today: "اليوم", tryAgain: "أعد المحاولة", inbox: "الوارد", search: "بحث", settings: "الإعدادات", mySettings: "إعداداتي", signOut: "تسجيل الخروج", theme: "المظهر", themeName: { system: "مثل النظام", light: "فاتح", dark: "داكن" },
  ml: { ...en.ml, from: "من", to: "إلى", subject: "الموضوع", fold: { quote: "بريد سابق", forward: "بريد معاد توجيهه", signature: "التوقيع" }, picture: "صورة", folder: "مجلد", onServer: "على الخادم", here: "هنا", quarantined: "الحجر", ignored: "متروك", waits: "في الطريق", isMissing: "ناقص", compose: "بريد جديد", composeTo: "إلى", words: "النص", addMail: "أضف بريدا", password: "كلمة المرور", connect: "ربط" },
  channel: { ...en.channel, webchat: "دردشة", email: "بريد", sms: "رسالة نصية", whatsapp: "واتساب", voice: "هاتف", internal: "الفريق" },
  statusName: { open: "مفتوحة", pending: "بانتظار العميل", on_hold: "بانتظار طرف آخر", snoozed: "مؤجلة", resolved: "مغلقة", closed: "مغلقة نهائيا" },
  priorityName: { low: "منخفضة", normal: "عادية", high: "عالية", urgent: "عاجلة" },
  availabilityName: { available: "متاح", busy: "مشغول", away: "بعيد", offline: "غير متصل" },
  view: { mine: "لي", unassigned: "بلا مسؤول", mentions: "إشارات", waiting: "بانتظار", snoozed: "مؤجلة", sends_later: "ترسل لاحقا", closed: "مغلقة", all: "الكل", spam: "مزعجة" },
  conversations: "المحادثات", views: "العروض", filter: "تصفية", sort: "ترتيب", noSubject: "بلا موضوع", late: "متأخر", tags: "وسوم", teams: "الفرق", assignWord: "إسناد", meWord: "أنا", tagWord: "وسوم", urgency: "الأهمية", status: "الحالة",
  dueIn: (ms) => { const m = Math.ceil(ms / 60_000); return m < 60 ? `بقي ${m} د` : `بقي ${Math.round(m / 60)} س`; },
  delivery: { queued: "في الانتظار", blocked: "لم ترسل", leased: "قيد الإرسال", accepted: "أرسلت", sent: "أرسلت", failed: "فشلت", delivered: "وصلت", read: "قرئت", cancelled: "سحبت", expired: "لم ترسل في وقتها", uncertain: "ربما أرسلت" },
  look: { message: "رسالة", call: "مكالمة", note: "ملاحظة", event: "حدث" }, onlyTeamSees: "يراها فريقك فقط", newHere: "جديد", checkAgain: "تحقق مرة أخرى", sendAgainAnyway: "أرسل مجددا رغم ذلك",
  reply: "رد", send: "إرسال", addNote: "أضف ملاحظة", replyVia: "الرد عبر", viaChannel: (c) => `عبر ${c}`, replyPlaceholder: (who) => `اكتب إلى ${who}…`, notePlaceholder: "اكتب ملاحظة. @ يشير إلى زميل.",
  customerWord: "العميل", reach: "وسائل الاتصال", saidByPage: "بحسب الصفحة", saidByPageHint: "غير مثبت: يعرض ولا يستعمل للدمج.", otherConversations: "محادثات أخرى", mergedFrom: "عملاء مدموجون", separateAgain: "افصل من جديد", knownSince: "ما نعرفه", firstSeen: "أول ظهور", lastSeen: "آخر ظهور", notes: "ملاحظات", onSiteNow: "على الموقع الآن", blockCustomer: "حظر العميل", editCustomer: "تعديل العميل", company: "الشركة",
  proof: ["مذكور فقط", "غير مؤكد", "مؤكد", "مسجل الدخول"],
  proofSource: { ...en.proofSource, sender_check: "اجتاز البريد فحص المرسل", signed_token: "وقعه موقعك", typed: "كتب في الدردشة", browser: "هذا المتصفح" },
  pointKind: { visitor: "زائر الدردشة" },
  pickConversation: "اختر محادثة", pickHint: "تفتح هنا مع كل ما كتبه هذا العميل.", allAnswered: "أجيب عن الكل", takeNext: "خذ التالية",
  cmd: { ...en.cmd, close: "إغلاق", reopen: "فتح من جديد", snooze: "تأجيل", assign: "إسناد", tags: "وسوم", reply: "رد", note: "ملاحظة" },
};
