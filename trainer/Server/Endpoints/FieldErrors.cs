using Graft.Server.Protocol;

namespace Graft.Server.Endpoints;

/// <summary>Gathers all that is wrong with a request, so that it is said at once.</summary>
internal sealed class FieldErrors
{
    private readonly List<(string Field, string Message)> errors = [];

    /// <param name="rule">Completes the sentence "'field' …".</param>
    public void Add(string field, string rule) => errors.Add((field, $"'{field}' {rule}"));

    public void Require(bool holds, string field, string rule)
    {
        if (!holds) Add(field, rule);
    }

    /// <exception cref="ApiException">400 with every error; <c>param</c> is the first field.</exception>
    public void ThrowIfAny()
    {
        if (errors.Count > 0) throw ApiException.BadRequest(string.Join("; ", errors.Select(e => e.Message)) + ".", errors[0].Field);
    }
}
