/**
 * This file has the form openapi-typescript gives it. `make api` writes it anew from openapi.json; never edit it by hand.
 */

export interface paths {
    "/api/v1/setup": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["SetupState"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/setup/owner": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["SetupOwner"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Me"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login_sessions": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["SignIn"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Me"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/login_sessions/current": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Me"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["MePatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Me"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["PasswordChange"]; }; };
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspace": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["WorkspacePatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Workspace"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/agents": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["AgentList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["AgentPatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Agent"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["TeamList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["NewTeam"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Team"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["TeamPatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Team"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/invitations": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["InvitationList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["NewInvitation"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Invitation"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitations/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/business_hours": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["BusinessHoursList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["BusinessHoursInput"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["BusinessHours"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/business_hours/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["BusinessHoursInput"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["BusinessHours"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["InboxList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["NewInbox"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Inbox"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/inboxes/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["InboxPatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Inbox"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/inboxes/{id}/identity_secret": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["IdentitySecret"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: { cursor?: string | null }; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["QuarantinePage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/{id}/raw": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/octet-stream": string; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/{id}/retry": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/quarantine/{id}/dismiss": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/given_up": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["GivenUpJobList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/jobs/{id}/retry": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Health"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ViewList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["NewView"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["View"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/views/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: { view?: string | null; q?: string | null; sort?: string | null; cursor?: string | null; limit?: number | null }; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ConversationPage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ConversationDetail"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["ConversationPatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ConversationRow"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/conversations/bulk": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["Bulk"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["BulkDone"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/seen": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["Seen"]; }; };
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/take": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ConversationRow"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/next": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ConversationRow"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/merge": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: { dry_run?: boolean }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["MergeInto"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["LabelChange"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/split": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: { dry_run?: boolean }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["SplitEntries"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["LabelChange"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/{id}/move": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: { dry_run?: boolean }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["MoveEntry"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["LabelChange"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/undo/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/timeline": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: { anchor?: string | null; before?: string | null; after?: string | null; limit?: number | null }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["TimelinePage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/entries": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header: { "Idempotency-Key": string; }; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["SendEntry"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Entry"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Entry"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/holds/{id}/send_now": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Entry"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/{id}/retry": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["RetryEntry"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Entry"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/entries/{id}/check": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Entry"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/attachments": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query: { name: string; conversation_id?: string | null }; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/octet-stream": string; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Attachment"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/drafts/{mode}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put: {
            parameters: { query?: never; header?: never; path: { id: string; mode: components["schemas"]["DraftMode"]; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["DraftInput"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Draft"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        post?: never;
        delete: {
            parameters: { query?: never; header?: never; path: { id: string; mode: components["schemas"]["DraftMode"]; }; cookie?: never; };
            requestBody?: never;
            responses: {
                204: { headers: { [name: string]: unknown; }; content?: never; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/drafts": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["DraftList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/reply-options": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ReplyOptionList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tags": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["TagList"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post: {
            parameters: { query?: never; header?: never; path?: never; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["NewTag"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Tag"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query: { q: string; cursor?: string | null }; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["SearchPage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contacts": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: { q?: string | null; cursor?: string | null }; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ContactPage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contacts/{id}": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Contact"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: {
            parameters: { query?: never; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["ContactPatch"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["Contact"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        trace?: never;
    };
    "/api/v1/contacts/{id}/merge": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: { dry_run?: boolean }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody: { content: { "application/json": components["schemas"]["ContactMerge"]; }; };
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["MergePreview"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contact_merges/{id}/undo": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get?: never;
        put?: never;
        post: {
            parameters: { query?: { dry_run?: boolean }; header?: never; path: { id: string; }; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["MergePreview"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes": {
        parameters: { query?: never; header?: never; path?: never; cookie?: never; };
        get: {
            parameters: { query: { since: number }; header?: never; path?: never; cookie?: never; };
            requestBody?: never;
            responses: {
                200: { headers: { [name: string]: unknown; }; content: { "application/json": components["schemas"]["ChangesPage"]; }; };
                default: { headers: { [name: string]: unknown; }; content: { "application/problem+json": components["schemas"]["Problem"]; }; };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @enum {string} */
        Channel: "webchat" | "email" | "sms" | "whatsapp" | "messenger" | "instagram" | "telegram" | "viber" | "voice" | "api" | "internal";
        /** @enum {string} */
        Status: "open" | "pending" | "on_hold" | "snoozed" | "resolved" | "closed";
        /** @enum {string} */
        Priority: "low" | "normal" | "high" | "urgent";
        /** @enum {string} */
        EntryKind: "message" | "call" | "note" | "event";
        /** @enum {string} */
        Direction: "in" | "out" | "internal";
        /** @enum {string} */
        AuthorKind: "contact" | "agent" | "bot" | "system";
        /** @enum {string} */
        Audience: "customer" | "team" | "outside";
        /** @enum {string} */
        DeliveryState: "queued" | "blocked" | "leased" | "accepted" | "sent" | "failed" | "delivered" | "read" | "cancelled" | "expired";
        /** @enum {string} */
        ContactPointKind: "phone" | "email" | "visitor" | "account" | "crm" | "whatsapp" | "messenger" | "instagram" | "telegram" | "viber" | "ext";
        /** @enum {string} */
        ContactPointHealth: "ok" | "bounced" | "blocked_by_customer" | "opted_out";
        /** @enum {string} */
        Role: "agent" | "supervisor" | "admin" | "owner";
        /** @enum {string} */
        Availability: "available" | "busy" | "away" | "offline";
        /** @enum {string} */
        BlockReason: "window_closed" | "window_closing" | "no_consent" | "opted_out" | "no_contact_point" | "unverified_contact_point" | "quiet_hours" | "channel_down" | "over_quota" | "template_required" | "attachment_type" | "too_long" | "agent_not_allowed" | "bounced" | "blocked_by_customer" | "customer_away";
        /** @enum {string} */
        InboxState: "ok" | "needs_sign_in" | "off";
        /** @enum {string} */
        Doing: "viewing" | "typing_reply" | "typing_note";
        /** @enum {string} */
        DraftMode: "reply" | "note";
        Problem: {
            status: number;
            code: string;
            title: string;
            detail?: string | null;
            args?: { [key: string]: unknown } | null;
            retry_after?: number | null;
            request_id: string;
        };
        SetupState: {
            needed: boolean;
            time_zone: string;
        };
        SetupOwner: {
            code: string;
            name: string;
            email: string;
            password: string;
            business_name?: string | null;
            time_zone?: string | null;
        };
        SignIn: {
            email: string;
            password: string;
        };
        Preferences: {
            theme: "system" | "light" | "dark";
            density: "comfortable" | "compact";
            undo_seconds: number;
            list_width: number;
            context_width: number;
            single_keys: boolean;
            locale: string;
        };
        PreferencesPatch: {
            theme?: "system" | "light" | "dark";
            density?: "comfortable" | "compact";
            undo_seconds?: number;
            list_width?: number;
            context_width?: number;
            single_keys?: boolean;
            locale?: string;
        };
        Agent: {
            id: string;
            name: string;
            email: string;
            role: components["schemas"]["Role"];
            availability: components["schemas"]["Availability"];
            team_ids: string[];
            archived: boolean;
        };
        Workspace: {
            id: string;
            name: string;
            colour: string;
            time_zone: string;
            sample_data: boolean;
        };
        WorkspacePatch: {
            name?: string;
            colour?: string;
            time_zone?: string;
            checklist_done?: string[];
        };
        Checklist: {
            done: string[];
        };
        Me: {
            agent: components["schemas"]["Agent"];
            workspace: components["schemas"]["Workspace"];
            preferences: components["schemas"]["Preferences"];
            checklist: components["schemas"]["Checklist"];
        };
        MePatch: {
            name?: string;
            availability?: components["schemas"]["Availability"];
            preferences?: components["schemas"]["PreferencesPatch"];
        };
        PasswordChange: {
            current: string;
            new: string;
        };
        AgentPatch: {
            role?: components["schemas"]["Role"];
            archived?: boolean;
            team_ids?: string[];
        };
        AgentList: {
            items: components["schemas"]["Agent"][];
        };
        Team: {
            id: string;
            name: string;
            agent_ids: string[];
        };
        TeamList: {
            items: components["schemas"]["Team"][];
        };
        NewTeam: {
            name: string;
            agent_ids?: string[];
        };
        TeamPatch: {
            name?: string;
            agent_ids?: string[];
        };
        Invitation: {
            id: string;
            email: string;
            role: components["schemas"]["Role"];
            url: string;
            expires_at: string;
        };
        InvitationList: {
            items: components["schemas"]["Invitation"][];
        };
        NewInvitation: {
            email: string;
            name?: string | null;
            role: components["schemas"]["Role"];
        };
        Span: {
            open: number;
            close: number;
        };
        Holiday: {
            on: string;
            name: string;
            spans: components["schemas"]["Span"][];
        };
        Hours: {
            time_zone: string;
            week: components["schemas"]["Span"][][];
            holidays: components["schemas"]["Holiday"][];
        };
        BusinessHours: {
            id: string;
            name: string;
            hours: components["schemas"]["Hours"];
            open_now: boolean;
            next_open_at?: string | null;
        };
        BusinessHoursInput: {
            name: string;
            hours: components["schemas"]["Hours"];
        };
        BusinessHoursList: {
            items: components["schemas"]["BusinessHours"][];
        };
        PreChatField: {
            key: string;
            label: string;
            kind: "text" | "email" | "select";
            required: boolean;
            options?: string[] | null;
        };
        PreChat: {
            enabled: boolean;
            fields: components["schemas"]["PreChatField"][];
        };
        AttachmentRules: {
            enabled: boolean;
            bytes_max: number;
            count_max: number;
            types: string[];
        };
        IdentityRules: {
            required: boolean;
            jwt_algorithm: "HS256" | "EdDSA";
            jwt_public_key?: string | null;
        };
        WebchatRates: {
            messages_per_minute: number;
            visitors_per_address_per_hour: number;
        };
        WebchatSettings: {
            site: string;
            title: string;
            greeting: string;
            colour: string;
            corner: "start" | "end";
            radius: number;
            theme: "auto" | "light" | "dark";
            locale: "auto" | "en" | "de" | "es" | "fr" | "ar";
            business_hours_id?: string | null;
            away_text: string;
            show_agents: boolean;
            show_wait: boolean;
            pre_chat: components["schemas"]["PreChat"];
            ask_email_when_away: boolean;
            consent_text?: string | null;
            allowed_origins: string[];
            attachments: components["schemas"]["AttachmentRules"];
            identity: components["schemas"]["IdentityRules"];
            rates: components["schemas"]["WebchatRates"];
            banned_addresses: string[];
        };
        WebchatSettingsPatch: {
            site?: string;
            title?: string;
            greeting?: string;
            colour?: string;
            corner?: "start" | "end";
            radius?: number;
            theme?: "auto" | "light" | "dark";
            locale?: "auto" | "en" | "de" | "es" | "fr" | "ar";
            business_hours_id?: string | null;
            away_text?: string;
            show_agents?: boolean;
            show_wait?: boolean;
            pre_chat?: components["schemas"]["PreChat"];
            ask_email_when_away?: boolean;
            consent_text?: string | null;
            allowed_origins?: string[];
            attachments?: components["schemas"]["AttachmentRules"];
            identity?: components["schemas"]["IdentityRules"];
            rates?: components["schemas"]["WebchatRates"];
            banned_addresses?: string[];
        };
        Inbox: {
            id: string;
            channel: components["schemas"]["Channel"];
            name: string;
            enabled: boolean;
            team_id?: string | null;
            agent_ids: string[];
            state: components["schemas"]["InboxState"];
            webchat?: components["schemas"]["WebchatSettings"] | null;
            snippet?: string | null;
            test_url?: string | null;
            last_in_at?: string | null;
            last_out_at?: string | null;
        };
        InboxList: {
            items: components["schemas"]["Inbox"][];
        };
        NewInbox: {
            channel: "webchat";
            name: string;
            webchat?: components["schemas"]["WebchatSettingsPatch"] | null;
        };
        InboxPatch: {
            name?: string;
            enabled?: boolean;
            team_id?: string | null;
            agent_ids?: string[];
            webchat?: components["schemas"]["WebchatSettingsPatch"];
        };
        IdentitySecret: {
            secret: string;
        };
        QuarantineItem: {
            id: string;
            inbox_id?: string | null;
            received_at: string;
            reason: string;
            detail: string;
            bytes: number;
            from?: string | null;
        };
        QuarantinePage: {
            items: components["schemas"]["QuarantineItem"][];
            next_cursor?: string | null;
            total: number;
        };
        GivenUpJob: {
            id: string;
            name: string;
            reason: string;
            gave_up_at: string;
            attempts: number;
        };
        GivenUpJobList: {
            items: components["schemas"]["GivenUpJob"][];
        };
        Health: {
            database: "sqlite" | "postgres";
            version: string;
            search_lag: number;
            oldest_ready_job_ms?: number | null;
            given_up_jobs: number;
            quarantined: number;
            disk_free_bytes?: number | null;
        };
        ViewCount: {
            key: string;
            name?: string | null;
            count: number;
            capped: boolean;
            unread: number;
        };
        ViewList: {
            items: components["schemas"]["ViewCount"][];
        };
        View: {
            id: string;
            name: string;
            query: string;
            shared: boolean;
            pinned: boolean;
        };
        NewView: {
            name: string;
            query: string;
            shared: boolean;
            pinned: boolean;
        };
        ContactName: {
            id: string;
            name: string;
        };
        Preview: {
            kind: components["schemas"]["EntryKind"];
            direction: components["schemas"]["Direction"];
            author_kind: components["schemas"]["AuthorKind"];
            author_name: string;
            text: string;
            attachments: number;
        };
        ConversationRow: {
            id: string;
            number: number;
            contact: components["schemas"]["ContactName"];
            subject?: string | null;
            status: components["schemas"]["Status"];
            snoozed_until?: string | null;
            priority: components["schemas"]["Priority"];
            spam: boolean;
            channel: components["schemas"]["Channel"];
            inbox_id?: string | null;
            agent_id?: string | null;
            team_id?: string | null;
            tag_ids: string[];
            seq: number;
            customer_seq: number;
            unread_count: number;
            unread: boolean;
            mentioned: boolean;
            last_activity_at: string;
            waiting_since?: string | null;
            next_due_at?: string | null;
            preview?: components["schemas"]["Preview"] | null;
            draft: boolean;
            merged_into?: string | null;
        };
        Total: {
            n: number;
            capped: boolean;
        };
        QueryProblem: {
            token: string;
            text: string;
        };
        ConversationPage: {
            items: components["schemas"]["ConversationRow"][];
            next_cursor?: string | null;
            total: components["schemas"]["Total"];
            change_seq: number;
            problems: components["schemas"]["QueryProblem"][];
        };
        Participant: {
            id?: string | null;
            name: string;
            address?: string | null;
            role: "customer" | "copied" | "outside";
        };
        AgentPresence: {
            agent_id: string;
            doing: components["schemas"]["Doing"];
        };
        CustomerPresence: {
            typing: boolean;
            online: boolean;
        };
        Presence: {
            agents: components["schemas"]["AgentPresence"][];
            customer: components["schemas"]["CustomerPresence"];
        };
        ConversationDetail: {
            conversation: components["schemas"]["ConversationRow"];
            contact: components["schemas"]["Contact"];
            participants: components["schemas"]["Participant"][];
            others: components["schemas"]["ConversationRow"][];
            reply_options: components["schemas"]["ReplyOption"][];
            drafts: components["schemas"]["Draft"][];
            presence: components["schemas"]["Presence"];
            change_seq: number;
        };
        ConversationPatch: {
            status?: components["schemas"]["Status"];
            snoozed_until?: string | null;
            priority?: components["schemas"]["Priority"];
            agent_id?: string | null;
            team_id?: string | null;
            subject?: string | null;
            spam?: boolean;
            tag_ids?: string[];
            expected_seq?: number | null;
        };
        Bulk: {
            ids: string[];
            patch: components["schemas"]["ConversationPatch"];
        };
        BulkDone: {
            changed: number;
            undo_id?: string | null;
        };
        Seen: {
            seq: number;
        };
        MergeInto: {
            into: string;
        };
        SplitEntries: {
            entry_ids: string[];
        };
        MoveEntry: {
            to: string;
        };
        LabelChange: {
            undo_id?: string | null;
            conversation_id: string;
            entries: number;
            warnings: string[];
        };
        TimelineConversation: {
            id: string;
            number: number;
            status: components["schemas"]["Status"];
            subject?: string | null;
            merged_into?: string | null;
        };
        TimelinePage: {
            entries: components["schemas"]["Entry"][];
            before?: string | null;
            after?: string | null;
            first_unread_id?: string | null;
            conversations: components["schemas"]["TimelineConversation"][];
            seq: number;
            change_seq: number;
        };
        Author: {
            kind: components["schemas"]["AuthorKind"];
            id?: string | null;
            name: string;
        };
        EntryBody: {
            text: string;
            html_safe?: string | null;
            subject?: string | null;
        };
        Attachment: {
            id: string;
            name: string;
            mime: string;
            bytes: number;
            url: string;
            inline: boolean;
        };
        Part: { /** @enum {string} */ kind: "location"; latitude: number; longitude: number; name?: string | null } | { /** @enum {string} */ kind: "choice"; label: string; value: string } | { /** @enum {string} */ kind: "unsupported"; what: string };
        EntryStatus: {
            code: components["schemas"]["DeliveryState"];
            reason?: string | null;
            uncertain: boolean;
            hold_until?: string | null;
            send_at?: string | null;
            parts_sent: number;
            parts_total: number;
            at: string;
        };
        EntryEvent: {
            code: string;
            args?: { [key: string]: unknown } | null;
            undo_id?: string | null;
        };
        EntryCall: {
            id: string;
            state: string;
            duration_ms: number;
            wait_ms: number;
        };
        EntryVia: {
            proof_level: number;
            flags: string[];
        };
        EntryPlaced: {
            rule: string;
            decision_id: string;
        };
        Entry: {
            id: string;
            kind: components["schemas"]["EntryKind"];
            conversation_id: string;
            contact_id: string;
            channel: components["schemas"]["Channel"];
            inbox_id?: string | null;
            contact_point_id?: string | null;
            direction: components["schemas"]["Direction"];
            author: components["schemas"]["Author"];
            at: string;
            audience: components["schemas"]["Audience"];
            body: components["schemas"]["EntryBody"];
            attachments: components["schemas"]["Attachment"][];
            parts: components["schemas"]["Part"][];
            status?: components["schemas"]["EntryStatus"] | null;
            event?: components["schemas"]["EntryEvent"] | null;
            call?: components["schemas"]["EntryCall"] | null;
            via?: components["schemas"]["EntryVia"] | null;
            placed?: components["schemas"]["EntryPlaced"] | null;
            context?: { [key: string]: unknown } | null;
            seq: number;
            client_id?: string | null;
            edited_at?: string | null;
            redacted: boolean;
            imported: boolean;
        };
        SendThen: {
            status?: components["schemas"]["Status"];
            snoozed_until?: string | null;
            agent_id?: string | null;
        };
        SendEntry: {
            kind: "message" | "note";
            text: string;
            attachment_ids?: string[];
            mention_ids?: string[];
            inbox_id?: string | null;
            contact_point_id?: string | null;
            base_seq: number;
            hold_seconds?: number | null;
            send_at?: string | null;
            then?: components["schemas"]["SendThen"] | null;
            force?: boolean;
        };
        RetryEntry: {
            force: boolean;
        };
        DraftInput: {
            text: string;
            attachment_ids: string[];
            inbox_id?: string | null;
            version: number;
        };
        Draft: {
            id: string;
            conversation_id: string;
            mode: components["schemas"]["DraftMode"];
            text: string;
            attachments: components["schemas"]["Attachment"][];
            inbox_id?: string | null;
            version: number;
            updated_at: string;
        };
        DraftList: {
            items: components["schemas"]["Draft"][];
        };
        ReplyFix: {
            action: string;
            label_key: string;
        };
        ReplyLimits: {
            text_max?: number | null;
            attachment_bytes_max: number;
            attachments_max: number;
            types: string[];
        };
        ReplyOption: {
            channel: components["schemas"]["Channel"];
            inbox_id: string;
            inbox_name: string;
            contact_point_id?: string | null;
            address: string;
            state: "ok" | "warn" | "blocked";
            reason?: components["schemas"]["BlockReason"] | null;
            until?: string | null;
            fix?: components["schemas"]["ReplyFix"] | null;
            limits: components["schemas"]["ReplyLimits"];
            default: boolean;
            proof_level: number;
        };
        ReplyOptionList: {
            items: components["schemas"]["ReplyOption"][];
        };
        Tag: {
            id: string;
            name: string;
            colour: string;
        };
        NewTag: {
            name: string;
            colour?: string | null;
        };
        TagList: {
            items: components["schemas"]["Tag"][];
        };
        Snippet: {
            text: string;
            hit: boolean;
        };
        SearchHit: { /** @enum {string} */ kind: "entry"; entry_id: string; conversation: components["schemas"]["ConversationRow"]; at: string; snippet: components["schemas"]["Snippet"][] } | { /** @enum {string} */ kind: "contact"; contact: components["schemas"]["ContactRow"] };
        SearchPage: {
            hits: components["schemas"]["SearchHit"][];
            next_cursor?: string | null;
            problems: components["schemas"]["QueryProblem"][];
            looked_back_to?: string | null;
            lag_ms: number;
        };
        ContactRow: {
            id: string;
            name: string;
            points: string[];
            last_seen_at?: string | null;
            open_conversations: number;
        };
        ContactPage: {
            items: components["schemas"]["ContactRow"][];
            next_cursor?: string | null;
        };
        ContactPoint: {
            id: string;
            kind: components["schemas"]["ContactPointKind"];
            address: string;
            proof_level: number;
            proof_source?: string | null;
            health: components["schemas"]["ContactPointHealth"];
            shared: boolean;
            blocked: boolean;
            first_seen_at?: string | null;
            last_seen_at?: string | null;
            online: boolean;
        };
        MergedContact: {
            contact_id: string;
            name: string;
            merge_id: string;
            at: string;
            by?: string | null;
        };
        Contact: {
            id: string;
            name: string;
            company?: string | null;
            locale?: string | null;
            time_zone?: string | null;
            notes?: string | null;
            blocked: boolean;
            first_seen_at?: string | null;
            last_seen_at?: string | null;
            points: components["schemas"]["ContactPoint"][];
            claimed: { [key: string]: string };
            merged: components["schemas"]["MergedContact"][];
        };
        ContactPatch: {
            name?: string;
            company?: string | null;
            locale?: string | null;
            time_zone?: string | null;
            blocked?: boolean;
            notes?: string | null;
        };
        ContactMerge: {
            other_id: string;
        };
        MergePreview: {
            merge_id?: string | null;
            keep: components["schemas"]["ContactRow"];
            other: components["schemas"]["ContactRow"];
            conversations: number;
            entries: number;
            conflicts: string[];
        };
        LiveItem: { kind: "conversation"; conversation: components["schemas"]["ConversationRow"] } | { kind: "entry"; entry: components["schemas"]["Entry"] } | { kind: "gone"; conversation_id: string } | { kind: "contact"; contact_id: string } | { kind: "views"; items: components["schemas"]["ViewCount"][] } | { kind: "draft"; conversation_id: string; mode: components["schemas"]["DraftMode"] } | { kind: "agents" } | { kind: "inboxes" } | { kind: "tags" } | { kind: "workspace" };
        ChangesPage: {
            prev: number;
            upto: number;
            items: components["schemas"]["LiveItem"][];
            more: boolean;
        };
        LiveServerFrame: { kind: "welcome"; change_seq: number; agent_id: string; server_version: string } | { kind: "frame"; prev: number; upto: number; items: components["schemas"]["LiveItem"][] } | { kind: "presence"; conversation_id: string; agents: components["schemas"]["AgentPresence"][]; customer: components["schemas"]["CustomerPresence"] } | { kind: "resync" } | { kind: "pong" };
        LiveClientFrame: { kind: "hello"; change_seq?: number | null } | { kind: "beat"; conversation_id?: string | null; doing?: components["schemas"]["Doing"] | null } | { kind: "ping" };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
