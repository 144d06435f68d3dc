import { expect, test } from "vitest";
import { refuseFile } from "./upload";

const limits = { text_max: null, attachment_bytes_max: 1_000, attachments_max: 2, types: ["image/*", "application/pdf"] };
test("limits of the way it goes are checked before the upload", () => {
  expect(refuseFile({ type: "image/png", size: 10 }, 0, limits)).toBeNull();
  expect(refuseFile({ type: "application/pdf", size: 1_000 }, 1, limits)).toBeNull();
  expect(refuseFile({ type: "image/png", size: 1_001 }, 0, limits)?.code).toBe("too_large");
  expect(refuseFile({ type: "text/html", size: 10 }, 0, limits)?.code).toBe("type");
  expect(refuseFile({ type: "image/png", size: 10 }, 2, limits)).toEqual({ code: "too_many", max: 2 });
  expect(refuseFile({ type: "text/html", size: 10 }, 0, { ...limits, types: ["*/*"] })).toBeNull();
});
