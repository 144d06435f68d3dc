import { Switch as S } from "radix-ui";
import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "./cx";

/** Label, control, hint and error, tied together for screen readers. */
export function Field({ label, hint, error, children, className }: { label: string; hint?: ReactNode; error?: string | null; children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ReactNode; className?: string }) {
  const id = useId();
  const described = error || hint ? `${id}-d` : undefined;
  return (
    <div className={cx("flex flex-col gap-1", className)}>
      <label htmlFor={id} className="text-13 font-medium text-ink">
        {label}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined })}
      {described && (
        <p id={described} className={cx("text-12", error ? "text-danger" : "text-ink3")} role={error ? "alert" : undefined}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, className, ...rest }: { label: string; hint?: ReactNode; error?: string | null } & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error} className={className}>
      {(ids) => <input {...ids} {...rest} className="field" />}
    </Field>
  );
}

export function SelectField({ label, hint, options, value, onChange, className }: { label: string; hint?: ReactNode; options: { value: string; label: string }[]; value: string; onChange: (value: string) => void; className?: string }) {
  return (
    <Field label={label} hint={hint} className={className}>
      {(ids) => (
        <select {...ids} className="field" value={value} onChange={(e) => onChange(e.target.value)}>
          {options.map((o) => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Toggle({ label, hint, checked, onChange, disabled }: { label: string; hint?: ReactNode; checked: boolean; onChange: (on: boolean) => void; disabled?: boolean }) {
  const id = useId();
  return (
    <div className="flex items-start justify-between gap-4">
      <div className="min-w-0">
        <label htmlFor={id} className="text-14 font-medium">
          {label}
        </label>
        {hint && <p className="text-12 text-ink3">{hint}</p>}
      </div>
      <S.Root id={id} checked={checked} onCheckedChange={onChange} disabled={disabled} className="relative mt-0.5 h-6 w-10 shrink-0 rounded-full border border-control bg-sunken transition-colors data-[state=checked]:border-brand data-[state=checked]:bg-brand disabled:opacity-50">
        <S.Thumb className="block size-4 translate-x-[3px] rounded-full bg-control transition-transform data-[state=checked]:translate-x-[19px] data-[state=checked]:bg-on-brand rtl:-translate-x-[3px] rtl:data-[state=checked]:-translate-x-[19px]" />
      </S.Root>
    </div>
  );
}

export { CopyButton } from "./copy-button";
