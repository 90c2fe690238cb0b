using System.Text.Json.Serialization;

namespace Smelt.Tool.Output;

/// <summary>Writes and reads <see cref="ToolDocument"/> without reflection.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ToolDocument))]
internal sealed partial class ToolJson : JsonSerializerContext;
