using System.Globalization;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Api.Reading;

/// <summary>What a list or a watch asks for, checked as k8s.io/apimachinery/pkg/apis/meta/internalversion/validation does.</summary>
internal static class ListOptions
{
    private const string Match = "resourceVersionMatch";

    /// <exception cref="ApiException">400 for a number that is none, 422 for options that do not go together.</exception>
    public static void Check(IQueryCollection query, bool watch)
    {
        foreach (var number in (string[])["limit", "timeoutSeconds"])
        {
            if (query[number].ToString() is { Length: > 0 } text && !long.TryParse(text, CultureInfo.InvariantCulture, out _))
                throw ApiException.BadRequest($"strconv.ParseInt: parsing {GoText.Quote(text)}: invalid syntax");
        }
        var errors = new List<FieldError>();
        if (watch)
            CheckWatch(query, errors);
        else
            CheckList(query, errors);
        if (errors.Count > 0)
            throw ApiException.InvalidOptions("ListOptions", errors);
    }

    private static void CheckList(IQueryCollection query, List<FieldError> errors)
    {
        var (match, version) = (query[Match].ToString(), query["resourceVersion"].ToString());
        if (match.Length > 0)
        {
            if (version.Length == 0)
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
            if (query["continue"].ToString().Length > 0)
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden when continue is provided"));
            if (match is not ("Exact" or "NotOlderThan"))
                errors.Add(FieldError.NotSupported(Match, match, ["Exact", "NotOlderThan", ""]));
            if (match == "Exact" && version == "0")
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }
        if (query["sendInitialEvents"].Count > 0)
            errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }

    private static void CheckWatch(IQueryCollection query, List<FieldError> errors)
    {
        var match = query[Match].ToString();
        var initial = query["sendInitialEvents"].Count > 0;
        if (initial && match != "NotOlderThan")
            errors.Add(FieldError.Forbidden(Match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        if (match.Length > 0 && !initial)
            errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        if (match is not ("" or "NotOlderThan"))
            errors.Add(FieldError.NotSupported(Match, match, ["NotOlderThan"]));
    }
}
