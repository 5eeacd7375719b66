using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Graft.LocalCluster.Schema;

/// <summary>The kinds of field errors, as a Status names them in <c>details.causes[].reason</c>.</summary>
internal enum FieldErrorType
{
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
    Internal,
    TypeInvalid,
}

/// <summary>One fault of an object: which field, what stands there, what would be right.</summary>
internal sealed record FieldError(FieldErrorType Type, string Field, JsonNode? BadValue, string Detail)
{
    /// <summary>The machine-readable reason of the cause, for example <c>FieldValueInvalid</c>.</summary>
    public string Reason => Type switch
    {
        FieldErrorType.NotFound => "FieldValueNotFound",
        FieldErrorType.Required => "FieldValueRequired",
        FieldErrorType.Duplicate => "FieldValueDuplicate",
        FieldErrorType.NotSupported => "FieldValueNotSupported",
        FieldErrorType.Forbidden => "FieldValueForbidden",
        FieldErrorType.TooLong => "FieldValueTooLong",
        FieldErrorType.TooMany => "FieldValueTooMany",
        FieldErrorType.Internal => "InternalError",
        FieldErrorType.TypeInvalid => "FieldValueTypeInvalid",
        _ => "FieldValueInvalid",
    };

    /// <summary>The message of the cause: everything but the field.</summary>
    public string Body
    {
        get
        {
            var head = Type switch
            {
                FieldErrorType.NotFound => "Not found",
                FieldErrorType.Required => "Required value",
                FieldErrorType.Duplicate => "Duplicate value",
                FieldErrorType.NotSupported => "Unsupported value",
                FieldErrorType.Forbidden => "Forbidden",
                FieldErrorType.TooLong => "Too long",
                FieldErrorType.TooMany => "Too many",
                FieldErrorType.Internal => "Internal error",
                _ => "Invalid value",
            };
            var showsValue = Type is FieldErrorType.NotFound or FieldErrorType.Duplicate or FieldErrorType.Invalid
                or FieldErrorType.NotSupported or FieldErrorType.TypeInvalid or FieldErrorType.TooMany;
            var text = new StringBuilder(head);
            if (showsValue)
            {
                text.Append(": ").Append(GoText.Of(BadValue));
            }
            if (Detail.Length > 0)
            {
                text.Append(": ").Append(Detail);
            }
            return text.ToString();
        }
    }

    /// <summary>The field as Status shows it; faults of the whole object have no path.</summary>
    public string FieldText => Field.Length == 0 ? "<nil>" : Field;

    public override string ToString() => $"{FieldText}: {Body}";

    public static FieldError Required(string field, string detail = "") => new(FieldErrorType.Required, field, null, detail);

    public static FieldError Invalid(string field, JsonNode? value, string detail) => new(FieldErrorType.Invalid, field, value, detail);

    public static FieldError Forbidden(string field, string detail) => new(FieldErrorType.Forbidden, field, null, detail);

    public static FieldError Duplicate(string field, JsonNode? value) => new(FieldErrorType.Duplicate, field, value, "");

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) =>
        new(FieldErrorType.NotSupported, field, value, "supported values: " + string.Join(", ", supported.Select(GoText.Quote)));

    public static FieldError TooLong(string field, int maxBytes) =>
        new(FieldErrorType.TooLong, field, null, string.Create(CultureInfo.InvariantCulture, $"may not be more than {maxBytes} bytes"));

    public static FieldError TooMany(string field, long actual, long max) =>
        new(FieldErrorType.TooMany, field, actual, string.Create(CultureInfo.InvariantCulture, $"must have at most {max} items"));

    /// <summary>One sentence for a Status message: a single error as it is, several in brackets.</summary>
    public static string Summary(IReadOnlyCollection<FieldError> errors)
    {
        var texts = errors.Select(e => e.ToString()).Distinct(StringComparer.Ordinal).ToList();
        return texts.Count == 1 ? texts[0] : "[" + string.Join(", ", texts) + "]";
    }
}
