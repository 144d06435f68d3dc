import type { components } from "../generated/schema";

type S = components["schemas"];
/** Every shape by the name it has in the contract. */
export type Schemas = S;

/** Short names for the shapes of openapi.json, so that features never spell out `components["schemas"]`. */
export type Agent = S["Agent"];
export type Attachment = S["Attachment"];
export type Availability = S["Availability"];
export type BlockReason = S["BlockReason"];
export type BusinessHours = S["BusinessHours"];
export type Channel = S["Channel"];
export type Contact = S["Contact"];
export type ContactPoint = S["ContactPoint"];
export type ContactRow = S["ContactRow"];
export type ConversationDetail = S["ConversationDetail"];
export type ConversationPage = S["ConversationPage"];
export type ConversationPatch = S["ConversationPatch"];
export type ConversationRow = S["ConversationRow"];
export type Doing = S["Doing"];
export type Draft = S["Draft"];
export type Entry = S["Entry"];
export type EntryKind = S["EntryKind"];
export type EntryStatus = S["EntryStatus"];
export type GivenUpJob = S["GivenUpJob"];
export type Health = S["Health"];
export type Holiday = S["Holiday"];
export type Hours = S["Hours"];
export type Inbox = S["Inbox"];
export type Invitation = S["Invitation"];
export type LabelChange = S["LabelChange"];
export type Me = S["Me"];
export type MergePreview = S["MergePreview"];
export type Part = S["Part"];
export type PreChatField = S["PreChatField"];
export type Preferences = S["Preferences"];
export type Presence = S["Presence"];
export type Priority = S["Priority"];
export type ProblemBody = S["Problem"];
export type QuarantineItem = S["QuarantineItem"];
export type ReplyOption = S["ReplyOption"];
export type Role = S["Role"];
export type SearchHit = S["SearchHit"];
export type SearchPage = S["SearchPage"];
export type SendEntry = S["SendEntry"];
export type SetupState = S["SetupState"];
export type Span = S["Span"];
export type Status = S["Status"];
export type Tag = S["Tag"];
export type Team = S["Team"];
export type TimelineConversation = S["TimelineConversation"];
export type TimelinePage = S["TimelinePage"];
export type View = S["View"];
export type ViewCount = S["ViewCount"];
export type WebchatSettings = S["WebchatSettings"];
/** A change of settings: what is absent stays (the generator would want every field, since each has a default). */
export type WebchatSettingsPatch = S["WebchatSettingsPatch"];
export type Workspace = S["Workspace"];

/** Live updates: what travels over the socket, both ways. */
export type LiveItem = S["LiveItem"];
export type LiveServerFrame = S["LiveServerFrame"];
export type LiveClientFrame = S["LiveClientFrame"];
export type ChangesPage = S["ChangesPage"];
