using System.Text.Json.Nodes;
using Graft.LocalCluster.Schema;

namespace Graft.LocalCluster.Cel;

/// <summary>The compiled <c>x-kubernetes-validations</c> of one schema.</summary>
internal sealed class CelRules
{
    private readonly CelRuleNode _root;

    private CelRules(CelRuleNode root) => _root = root;

    /// <summary>Compiles every rule of a schema; a CRD with an error must be refused.</summary>
    /// <param name="schema">The structural schema of one version.</param>
    /// <param name="path">The schema's path for messages, for example <c>spec.versions[0].schema.openAPIV3Schema</c>.</param>
    /// <param name="errors">Compilation and cost errors; null is returned when there is one.</param>
    public static CelRules? Compile(TypeSchema schema, string path, out IReadOnlyList<FieldError> errors)
    {
        var compiler = new CelRuleCompiler();
        var root = compiler.Compile(schema, path);
        errors = compiler.Errors;
        return errors.Count == 0 ? new CelRules(root) : null;
    }

    /// <summary>Evaluates all rules.</summary>
    /// <param name="value">The whole object, defaulted, and valid by <see cref="SchemaValidator"/>.</param>
    /// <param name="old">The stored object on update; transition rules run only then.</param>
    public IReadOnlyList<FieldError> Validate(JsonObject value, JsonObject? old) =>
        _root.IsEmpty ? [] : new CelRuleRunner().Run(_root, value, old);
}
